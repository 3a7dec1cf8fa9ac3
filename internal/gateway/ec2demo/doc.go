// Package ec2demo is a small EC2: a service of another make for the gateway to
// stand in front of, in the tutorial and in tests. It keeps a handful of
// pretended instances in memory, answers the EC2 Query protocol in XML, and
// believes the identity headers that the gateway sets.
//
// It verifies no signatures and asks no policy: that is the gateway's part. It
// must be reachable only by the gateway.
package ec2demo

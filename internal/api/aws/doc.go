// Package aws is the AWS door: IAM and STS in the Query protocol and the one
// operation of CloudTrail that reads the trail. It decodes, asks ops to verify
// the signature, runs the operation and encodes; one table turns fault kinds
// into AWS's codes and sentences. No rule lives here.
package aws

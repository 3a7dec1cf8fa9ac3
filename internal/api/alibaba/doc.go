// Package alibaba is the Alibaba Cloud door: RAM, IMS, STS and the operation of
// ActionTrail that reads the trail, in the RPC style with either signature. It
// decodes, asks ops to verify the signature, runs the operation and encodes; one
// table turns fault kinds into Alibaba Cloud's codes and sentences. No rule lives
// here.
package alibaba

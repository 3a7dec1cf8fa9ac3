package ram_test

import (
	"testing"
	"time"

	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/ram"
)

// The same workload in both languages: full access to a service, what an engineer may
// read, and nothing without a second factor.
const (
	ramWorkload = `{"Version":"1","Statement":[
		{"Effect":"Allow","Action":"ecs:*","Resource":"*"},
		{"Effect":"Allow","Action":["vpc:DescribeVpcs","vpc:DescribeVSwitches","oss:Get*"],"Resource":["acs:vpc:*:*:vpc/*","acs:oss:*:*:team-a/*"],
		 "Condition":{"Bool":{"acs:SecureTransport":"true"},"IpAddress":{"acs:SourceIp":"192.0.2.0/24"}}},
		{"Effect":"Deny","NotAction":["ram:CreateVirtualMFADevice","ram:BindMFADevice","ram:GetUser"],"Resource":"*","Condition":{"Bool":{"acs:MFAPresent":"false"}}}]}`
	awsWorkload = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ecs:*","Resource":"*"},
		{"Effect":"Allow","Action":["vpc:DescribeVpcs","vpc:DescribeVSwitches","oss:Get*"],"Resource":["arn:aws:vpc:*:*:vpc/*","arn:aws:oss:*:*:team-a/*"],
		 "Condition":{"Bool":{"aws:SecureTransport":"true"},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}},
		{"Effect":"Deny","NotAction":["iam:CreateVirtualMFADevice","iam:EnableMFADevice","iam:GetUser"],"Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`
)

// side is a workload ready to be decided.
type side struct {
	requests []policy.Request
	layer    policy.Layer
}

func newSide(rules []policy.Rule, l policy.Language, prefix, account, mfa, secure, ip string) *side {
	s := &side{layer: policy.Compile(rules, nil).Layer(policy.Identity)}
	facts := policy.Map{mfa: policy.Bool(true), secure: policy.Bool(true), ip: policy.String("192.0.2.7")}
	for _, ask := range [][2]string{
		{"ecs:DescribeInstances", "*"}, {"ecs:StopInstance", prefix + "ecs:cn-hangzhou:" + account + ":instance/i-1"},
		{"vpc:DescribeVpcs", prefix + "vpc:cn-hangzhou:" + account + ":vpc/vpc-1"}, {"oss:GetObject", prefix + "oss:cn-hangzhou:" + account + ":team-a/x"},
		{"rds:DescribeDBInstances", "*"},
	} {
		r := policy.Request{Principal: policy.Principal{Kind: policy.User}, Context: facts}
		r.Actions[l], r.Resources[l] = ask[0], ask[1]
		r.Prepare()
		s.requests = append(s.requests, r)
	}
	return s
}

// sides are both languages' workloads, which answer alike.
func sides(t testing.TB) (inRAM, inAWS *side) {
	t.Helper()
	r, err := ram.Parse([]byte(ramWorkload), ram.Identity)
	if err != nil {
		t.Fatal(err)
	}
	a, err := aws.Parse([]byte(awsWorkload), aws.Managed)
	if err != nil {
		t.Fatal(err)
	}
	inRAM = newSide(r.Rules(policy.RuleID{}), ram.Language, "acs:", "1000123456789012", "acs:mfapresent", "acs:securetransport", "acs:sourceip")
	inAWS = newSide(a.Rules(policy.RuleID{}), aws.Language, "arn:aws:", "123456789012", "aws:multifactorauthpresent", "aws:securetransport", "aws:sourceip")
	for i := range inRAM.requests {
		x, y := policy.Decide(&inRAM.requests[i], inRAM.layer), policy.Decide(&inAWS.requests[i], inAWS.layer)
		if x.Outcome != y.Outcome || x.Allowed() != (i < 4) {
			t.Fatalf("%s: %v in RAM's language, %v in AWS's", inRAM.requests[i].Actions[ram.Language], x.Outcome, y.Outcome)
		}
	}
	return inRAM, inAWS
}

func (s *side) decide() {
	for i := range s.requests {
		policy.Decide(&s.requests[i], s.layer)
	}
}

func TestWorkloadsAnswerAlike(t *testing.T) { sides(t) }

// BenchmarkAgainstAWS decides five requests in each language by turns, and reports
// RAM's cost and how many times AWS's it is; at most 1.3 is wanted.
func BenchmarkAgainstAWS(b *testing.B) {
	inRAM, inAWS := sides(b)
	const batch = 200
	var spent [2]time.Duration
	rounds := 0
	for b.Loop() {
		for i, s := range []*side{inRAM, inAWS} {
			began := time.Now()
			for range batch {
				s.decide()
			}
			spent[i] += time.Since(began)
		}
		rounds++
	}
	each := float64(rounds * batch * len(inRAM.requests))
	b.ReportMetric(float64(spent[0])/each, "ns/ram-decision")
	b.ReportMetric(float64(spent[1])/each, "ns/aws-decision")
	b.ReportMetric(float64(spent[0])/float64(spent[1]), "ratio")
}

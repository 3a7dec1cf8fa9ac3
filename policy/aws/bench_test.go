package aws

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"warifu/policy"
)

// statements makes a document of n statements of a usual shape, about the i-th team.
func statements(n, i int) []byte {
	var b strings.Builder
	for k := range n {
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"Sid": "S%d", "Effect": "Allow", "Action": ["svc%d:Get%d", "svc%d:Put%d", "svc%d:List*"], "Resource": ["arn:aws:svc%d:*:111122223333:team-%02d-*", "arn:aws:s3:::team-%02d-%d/*"], "Condition": {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:PrincipalTag/team": "team-%02d"}}}`,
			k, k%15, k, k%15, k, k%15, k%15, i%40, i%40, k, i%40)
	}
	return []byte(document("[" + b.String() + "]"))
}

// BenchmarkCompile reads and compiles; a statement is one operation.
func BenchmarkCompile(b *testing.B) {
	src := statements(20, 1)
	b.ReportAllocs()
	for n := 0; n < b.N; n += 20 {
		d, err := Parse(src, Inline)
		if err != nil {
			b.Fatal(err)
		}
		policy.Compile(d.Rules(policy.RuleID{}), nil)
	}
}

// BenchmarkDecide asks under Force_MFA and EC2's full access.
func BenchmarkDecide(b *testing.B) {
	d, err := Parse([]byte(document(`[{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
		{"Effect": "Deny", "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "sts:GetSessionToken"], "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]`)), Managed)
	if err != nil {
		b.Fatal(err)
	}
	layers := []policy.Layer{policy.Compile(d.Rules(policy.RuleID{}), nil).Layer(policy.Identity)}
	req := policy.Request{Principal: policy.Principal{Kind: policy.User}, Context: policy.Map{"aws:multifactorauthpresent": policy.Bool(true)}}
	req.Actions[Language], req.Resources[Language] = "ec2:DescribeInstances", "*"
	b.Run("as given", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			policy.Decide(&req, layers...)
		}
	})
	b.Run("prepared", func(b *testing.B) {
		req.Prepare()
		b.ReportAllocs()
		for b.Loop() {
			policy.Decide(&req, layers...)
		}
	})
}

// bytesPerPrincipal is what each of 10,000 principals takes who share 500 policies, 12
// each, above the policies.
func bytesPerPrincipal(t testing.TB) float64 {
	const principals, policies, each = 10_000, 500, 12
	sets := make([]*policy.Set, policies)
	for i := range sets {
		sets[i] = policy.Compile(mustParse(t, string(statements(5, i)), Inline).Rules(policy.RuleID{}), nil)
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	layers := make([]policy.Layer, principals)
	for i := range layers {
		var mine []*policy.Set
		for k := range each {
			mine = append(mine, sets[(i*7+k*41)%policies])
		}
		layers[i] = policy.Join(mine...).Layer(policy.Identity)
	}
	per := float64(heap()-before) / principals
	runtime.KeepAlive(layers)
	runtime.KeepAlive(sets)
	return per
}

// TestMemoryPerPrincipal: it is at most 4 KB.
func TestMemoryPerPrincipal(t *testing.T) {
	if per := bytesPerPrincipal(t); per > 4<<10 {
		t.Errorf("%.0f bytes for each principal, at most 4096", per)
	}
}

func BenchmarkMemoryPerPrincipal(b *testing.B) {
	per := 0.0
	for range b.N {
		per = bytesPerPrincipal(b)
	}
	b.ReportMetric(per, "B/principal")
}

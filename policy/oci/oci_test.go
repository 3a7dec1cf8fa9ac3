package oci

import (
	"bytes"
	"compress/flate"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu/policy"
)

func parsed(t testing.TB, statements ...string) *Document {
	t.Helper()
	d, err := Parse(statements)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestReferences(t *testing.T) {
	d := parsed(t,
		"allow group A, 'Dom'/'B' to manage users in compartment x:y",
		"allow dynamic-group a to manage users in compartment id ocid1.compartment.oc1..C",
		"deny group id ocid1.group.oc1..a, ocid1.group.oc1..b to manage users in compartment X:Y",
		"allow group id to manage users in tenancy", // the group is called id
		"allow group id, a to manage users in compartment id",
		"define group Z as ocid1.group.oc1..z",
		"endorse group Z to manage users in any-tenancy",
	)
	names, ids := d.References()
	want := []Reference{
		{Group, "", "a"}, {Group, "dom", "b"}, {Compartment, "", "x:y"}, {DynamicGroup, "", "a"}, {Group, "", "id"}, {Compartment, "", "id"},
	}
	if !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	if want := []string{"ocid1.compartment.oc1..c", "ocid1.group.oc1..a", "ocid1.group.oc1..b"}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
	if kinds := d.Kinds(); !slices.Equal(kinds, []Kind{Allow, Allow, Deny, Allow, Allow, Define, Endorse}) {
		t.Error(kinds)
	}
	if wide := d.TenancyWide(); !slices.Equal(wide, []bool{false, false, false, true, false, false, false}) {
		t.Error(wide)
	}
	if Group.String() != "group" || DynamicGroup.String() != "dynamic group" || Compartment.String() != "compartment" {
		t.Error("kinds have other names")
	}
	if associate.String() != "associate" || manage.String() != "manage" {
		t.Error("verbs have other names")
	}
}

func TestBindSaysWhomAStatementIsAbout(t *testing.T) {
	d := parsed(t, "define tenancy T as ocid1.tenancy.oc1..t", "allow group A, B to manage users in tenancy", "deny any-user to manage users in tenancy")
	names := Names{{Group, "", "a"}: "ocid1.group.oc1..A"}
	got := d.Bind(policy.RuleID{Policy: "p", Version: "v"}, Site{Tenancy: tenancy, Compartment: tenancy}, names)
	if len(got) != 2 || !slices.Equal(got[0].Groups, []string{"ocid1.group.oc1..a"}) || got[0].Others || got[1].Groups != nil || !got[1].Others {
		t.Errorf("%+v", got)
	}
	if want := (policy.RuleID{Policy: "p", Version: "v", Index: 1, Line: 1, Column: 1}); got[0].Rule.ID != want {
		t.Errorf("%+v, want %+v", got[0].Rule.ID, want)
	}
}

func TestTagsAreFamilies(t *testing.T) {
	for variable, want := range map[string]string{
		"target.resource.tag.Ops.Env":             "target.resource.tag/ops.env",
		"target.resource.compartment.tag.Ops.Env": "target.resource.compartment.tag/ops.env",
		"request.principal.group.tag.a.b":         "request.principal.group.tag/a.b",
		"request.principal.compartment.tag.a.b":   "request.principal.compartment.tag/a.b",
		"request.principal.tag.a.b":               "request.principal.tag/a.b",
		"request.user.mfaTotpVerified":            "request.user.mfatotpverified",
		"target.resource.tags":                    "target.resource.tags",
	} {
		if got := Key(variable); got != want {
			t.Errorf("%s: %s, want %s", variable, got, want)
		}
	}
	if got := Path("ocid1.tenancy.oc1..T", "b"); got != "/ocid1.tenancy.oc1..t/b/" {
		t.Error(got)
	}
	if !Clock("request.user.id", time.Unix(0, 0)).Absent() {
		t.Error("the clock knows more than time")
	}
}

func TestTheEmbeddedTableIsTheTextBesideIt(t *testing.T) {
	text, err := os.ReadFile("permissions.txt")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	w.Write(text)
	w.Close()
	if !bytes.Equal(b.Bytes(), packed) {
		t.Error("permissions.flate is not permissions.txt compressed: run go run ./policy/oci/gen")
	}
	if len(packed) > 40<<10 {
		t.Errorf("%d bytes", len(packed))
	}
}

func TestADamagedTableStopsTheProgram(t *testing.T) {
	kept := packed
	defer func() {
		if packed = kept; recover() == nil {
			t.Error("it goes on")
		}
	}()
	packed = []byte("damaged")
	unpack()
}

// Every operation of the Identity service can be allowed by some verb, but for those
// that Oracle asks manage all-resources for.
func TestEveryIdentityOperationIsReachable(t *testing.T) {
	for op := range identity {
		permissions, ok := Permissions(op)
		if !ok || len(permissions) == 0 {
			t.Errorf("%s needs nothing", op)
		}
		for _, p := range permissions {
			_, _, ok := Grantor(p)
			if bound := p == "COMPARTMENT_MOVE" || p == "COMPARTMENT_BULK"; ok == bound {
				t.Errorf("%s needs %s: granted by a verb: %v", op, p, ok)
			}
		}
	}
}

func TestFixesAreNeededAndExplained(t *testing.T) {
	text, err := os.ReadFile("permissions.txt")
	if err != nil {
		t.Fatal(err)
	}
	granted := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); f[0] == "type" || f[0] == "extra" {
			for _, words := range f[2:] {
				for _, p := range strings.Split(words, ",") {
					granted[p] = true
				}
			}
		}
	}
	for _, f := range fixes {
		if f.why == "" {
			t.Errorf("%v has no reason", f.permissions)
		}
		for _, p := range f.permissions {
			if granted[p] {
				t.Errorf("%s is granted without the fix", p)
			}
			if _, _, ok := Grantor(p); !ok {
				t.Errorf("%s is granted by nothing", p)
			}
		}
	}
}

func TestGranted(t *testing.T) {
	for _, c := range []struct {
		verb, resource, has, lacks string
	}{
		{"inspect", "users", "USER_INSPECT", "USER_READ"},
		{"READ", "Users", "USER_INSPECT", "USER_UPDATE"},
		{"manage", "users", "USER_TOTPDEVICE_REMOVE", "GROUP_INSPECT"},
		{"inspect", "all-resources", "USER_INSPECT", "USER_READ"},
		{"use", "instance-family", "VNIC_ATTACH", "INSTANCE_CREATE"},
		{"manage", "file-family", "FILESYSTEM_SNAPSHOT_POLICY_MOVE", "VNIC_READ"},
		{"read", "tag-namespace", "TAG_NAMESPACE_INSPECT", "TAG_NAMESPACE_USE"},
		{"manage", "compartment", "COMPARTMENT_RECOVER", "USER_READ"},
		{"manage", "cluster-family", "CLUSTER_VIRTUAL_NODE_POOL_CREATE", "USER_READ"},
		{"manage", "ipsec-connections", "IPSEC_CONNECTION_CREATE", "USER_READ"},
		{"read", "secret-family", "SECRET_BUNDLE_READ", "SECRET_UPDATE"},
		{"manage", "organizations-family", "ORGANIZATIONS_LINK_INSPECT", "USER_READ"},
	} {
		got, ok := Granted(c.verb, c.resource)
		if !ok || !slices.Contains(got, c.has) || slices.Contains(got, c.lacks) {
			t.Errorf("%s %s: %v %v", c.verb, c.resource, got, ok)
		}
	}
	for _, c := range [][2]string{{"manage", "moons"}, {"associate", "users"}, {"hug", "users"}} {
		if got, ok := Granted(c[0], c[1]); ok {
			t.Errorf("%v: %v", c, got)
		}
	}
	if v, r, ok := Grantor("user_unblock"); v != "manage" || r != "users" || !ok {
		t.Error(v, r, ok)
	}
	if v, r, ok := Grantor("NOTHING"); ok {
		t.Error(v, r)
	}
	if p, ok := Permissions("getgroup"); !ok || !reflect.DeepEqual(p, []string{"GROUP_INSPECT"}) {
		t.Error(p, ok)
	}
	if p, ok := Permissions("LaunchInstance"); !ok || !slices.Contains(p, "INSTANCE_CREATE") {
		t.Error(p, ok)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ statement, want string }{
		{"allow group A to manage users in tenancy", ""},
		{"allow group A to manage users in tenancy where target.user.id = 'x'", "target.user.id has no value in ListUsers and CreateUser"},
		{"allow group A to inspect groups in tenancy where target.group.name = 'x'", "target.group.name has no value in ListGroups,"},
		{"allow group A to use users in tenancy where any {target.user.id = 'x', request.operation = 'ListUsers'}", ""},
		{"allow group A to manage users in tenancy where any {target.user.id = 'x', all {target.user.id = 'y', request.region='phx'}}", "target.user.id"},
		{"allow group A to manage policies in tenancy where all {request.region='phx', target.policy.name = 'x', target.policy.name != 'y'}", "ListPolicies and CreatePolicy"},
		{"allow group A to manage dynamic-groups in tenancy where target.dynamicgroup.name = 'x'", "ListDynamicGroups and CreateDynamicGroup"},
		{"allow group A to manage tag-namespaces in tenancy where target.tag-namespace.name = 'x'", "ListTagNamespaces and CreateTagNamespace"},
		{"allow group A to {USER_INSPECT} in tenancy where target.user.id = 'x'", "ListUsers,"},
		{"allow group A to manage users in tenancy where !target.user.id", ""},
		{"allow group A to manage users in tenancy where target.compartment.id = 'x'", ""},
		{"allow group A to use users in tenancy where target.user = 'x'", "no request here has the variable target.user,"},
		{"allow group A to manage buckets in tenancy where target.bucket.name = 'x'", "no request here has the variable target.bucket.name, so this test never holds"},
		{"deny group A to manage users in tenancy where request.ad = 'x'", "request.ad"},
		{"allow group A to use users in tenancy where any {request.instance.id = 'x', request.service.name = 'y', request.user.authn-type = 'z'}", "request.user.authn-type"},
		{"allow group A to use users in tenancy where all {request.principal.compartment.tag.a.b = 'x', target.resource.tag.a.b = 'x'}", "request.principal.compartment.tag.a.b"},
		{"allow group A to use users in tenancy where target.resource.compartment.tag.a.b = 'x'", ""},
		{"allow group A to {POLICY_UPDATE} in tenancy where target.policy.autoupdate = 'true'", ""},
		{"deny group A to manage users in tenancy where target.user.id = 'x'", ""},
		{"allow group A to manage moons in tenancy", `"moons" is no resource type`},
		{"allow group A to {USER_HUG} in tenancy", "USER_HUG is no permission"},
		{"allow group A to {USER_READ} users in tenancy", ""},
		{"allow group A to manage users in tenancy where request.user.shoesize = '44'", "request.user.shoesize"},
		{"allow group A to manage users in tenancy where !request.user.shoesize", ""},
		{"allow group A to manage users in tenancy where request.principal.group.tag.a.b = '44'", ""},
		{"allow group A to manage users in tenancy where request.user.mfaTotpVerified = 'yes'", "never helps"},
		{"allow group A to manage users in tenancy where request.user.mfaTotpVerified = 'TRUE'", ""},
		{"endorse any-user to manage users in any-tenancy", "no other tenancies"},
	} {
		var all []string
		for _, w := range parsed(t, c.statement).Warnings() {
			all = append(all, w.String())
		}
		got := strings.Join(all, "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s\n%q, want %q", c.statement, got, c.want)
		}
	}
}

// FuzzParse: whatever the bytes, the answer is a document or an *Error with a place;
// statements come back byte for byte, and can be decided on.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"testdata/in-use.txt", "testdata/errors.txt"} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			f.Add(strings.TrimSpace(line))
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		d, err := Parse([]string{src})
		if err != nil {
			e := err.(*Error)
			if e.Line < 1 || e.Column < 1 || e.Offset > len(src) || e.Found == "" || e.Want == "" {
				t.Fatalf("%#v", e)
			}
			return
		}
		if d.Statements()[0] != src {
			t.Fatalf("%q became %q", src, d.Statements()[0])
		}
		d.Warnings()
		names := Names{}
		refs, _ := d.References()
		for _, r := range refs {
			names[r] = "ocid1.group.oc1.." + r.Name
		}
		rules := d.Rules(policy.RuleID{}, Site{Tenancy: tenancy, Compartment: "c", Exempt: []string{"x"}}, names)
		layer := policy.Compile(rules, nil).Layer(policy.Identity)
		req := policy.Request{Principal: policy.Principal{Kind: policy.User, Account: "1"}, Context: policy.Map{}}
		req.Actions[Language], req.Resources[Language] = "USER_READ", Path(tenancy)
		if tr := policy.Explain(&req, layer); tr.Decision != policy.Decide(&req, layer) {
			t.Fatal("the trace differs")
		}
	})
}

// FuzzMatchingRule: whatever the bytes, there is a rule that answers or an error.
func FuzzMatchingRule(f *testing.F) {
	f.Add("any {instance.id = 'a', tag.a.b.value}")
	f.Fuzz(func(t *testing.T, src string) {
		m, err := ParseMatchingRule(src)
		if err == nil {
			m.Matches(func(string) (string, bool) { return "a", true })
		}
	})
}

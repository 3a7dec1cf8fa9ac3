package gateway

import (
	"strings"
	"testing"
)

func TestOperationLines(t *testing.T) {
	good := "GET /20160918/instances/{instanceId} GetInstance INSTANCE_READ at:/20160918/instances/{instanceId}"
	if o, err := ParseOperation(good); err != nil || o.Name != "GetInstance" || len(o.Permissions) != 1 {
		t.Fatal(o, err)
	}
	for line, want := range map[string]string{
		"GET /20160918/instances ListInstances -":                                         "METHOD PATH",
		"FETCH /20160918/instances ListInstances - tenancy":                               "method",
		"GET /20160918/../x ListInstances - tenancy":                                      "path",
		"GET 20160918/x ListInstances - tenancy":                                          "path",
		"GET /20160918/users ListInstances - tenancy":                                     "Warifu answers",
		"GET /20160918/instances list - tenancy":                                          "operation",
		"GET /20160918/instances NoSuchOperation - tenancy":                               "reference",
		"GET /20160918/instances ListInstances instance_read tenancy":                     "permission",
		"GET /20160918/instances ListInstances - query:":                                  "parameter",
		"GET /20160918/instances ListInstances - body:a.b":                                "parameter",
		"GET /20160918/instances ListInstances - at:/20160918/instances/{instanceId}":     "variables",
		"GET /20160918/instances ListInstances - root":                                    "compartment",
		"GET /20160918/instances ListInstances - ocid1.user.oc1..aaaa":                    "compartment",
		"GET /20160918/instances ListInstances INSTANCE_READ+ tenancy":                    "permission",
		"GET /20160918/a{b} ListInstances INSTANCE_READ tenancy":                          "path",
		"DELETE /20160918/instances/{instanceId}/ TerminateInstance - query:instance?x=1": "path",
	} {
		if _, err := ParseOperation(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

// What two servers could read as two paths is none.
func TestPathsOfOneSpelling(t *testing.T) {
	o := Operation{Path: "/20160918/instances/{instanceId}"}
	for path, want := range map[string]bool{
		"/20160918/instances/ocid1.instance.oc1..aaa": true,
		"/20160918/instances/":                        false,
		"/20160918/instances/..":                      false,
		"/20160918/instances/.hidden":                 false,
		"/20160918/instances/a%2Fb":                   false,
		"/20160918/instances/a/b":                     false,
		"/20160918//instances/a":                      false,
		"/20160918/Instances/a":                       false,
		"/20160918/instances/a;b":                     false,
	} {
		if _, got := o.match(path); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}

// FuzzParseOperation: whatever the line, it is refused or an operation that has its own
// path and no other segment for a variable than one spelling.
func FuzzParseOperation(f *testing.F) {
	f.Add("GET /20160918/instances/{instanceId} GetInstance INSTANCE_READ at:/20160918/instances/{instanceId}", "/20160918/instances/a")
	f.Add("POST /20160918/instances LaunchInstance - body:compartmentId", "/20160918/instances")
	f.Add("GET /n/{namespace}/b/{bucket} GetBucket BUCKET_READ+BUCKET_INSPECT tenancy", "/n/../b/%2e")
	f.Fuzz(func(t *testing.T, line, path string) {
		o, err := ParseOperation(line)
		if err != nil {
			return
		}
		words := strings.Fields(line)
		if again, err := ParseOperation(strings.Join(words, " ")); err != nil || again.Name != o.Name || again.Path != o.Path {
			t.Fatalf("%q became %+v, %v", line, again, err)
		}
		own := o.Path
		for _, v := range variables(o.Path) {
			own = strings.ReplaceAll(own, v, "x-1")
		}
		if vars, ok := o.match(own); !ok || len(vars) > len(variables(o.Path)) {
			t.Fatalf("%s is not %s: %v", own, o.Path, vars)
		}
		if vars, ok := o.match(path); ok {
			for v, text := range vars {
				if strings.ContainsAny(text, "/%?#;\\") || strings.HasPrefix(text, ".") || text == "" {
					t.Fatalf("%s is %q in %q", v, text, path)
				}
			}
		}
	})
}

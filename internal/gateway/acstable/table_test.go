package acstable

import (
	"strings"
	"testing"
)

func TestBuiltInTables(t *testing.T) {
	for code, want := range map[string][]string{
		"ecs": {"RunInstances", "StopInstance", "RunCommand", "DescribeTerminalSessions"},
		"vpc": {"CreateVpc", "AllocateEipAddress", "DescribeVSwitchAttributes"}, "ecs-workbench": {"LoginInstance"},
	} {
		table := Of(code)
		if table == nil {
			t.Fatalf("%s has no table", code)
		}
		for _, action := range want {
			if _, known := table.Actions[action]; !known {
				t.Errorf("%s: %s is not known", code, action)
			}
		}
		for called, a := range table.Actions {
			reads := strings.HasPrefix(called, "Describe") || strings.HasPrefix(called, "List") || strings.HasPrefix(called, "Get") || strings.HasPrefix(called, "View")
			if a.ReadOnly && !reads {
				t.Errorf("%s:%s only reads", code, called)
			}
		}
	}
	if Of("oss") != nil {
		t.Error("oss has a table")
	}
}

func TestParse(t *testing.T) {
	table, err := Parse("# comment\nversion 2014-05-26\n\nRunCommand write vpc:vswitch/{VSwitchId} instance/{InstanceId}! -ResourceTag @ecs:CommandRunAs=Username|root+system\n")
	if err != nil {
		t.Fatal(err)
	}
	a := table.Actions["RunCommand"]
	if a.ReadOnly || len(a.Resources) != 2 || a.Resources[0] != (Resource{"vpc", "vswitch", "VSwitchId", false}) || a.Resources[1] != (Resource{"", "instance", "InstanceId", true}) {
		t.Errorf("resources %+v", a.Resources)
	}
	if len(a.Refused) != 1 || len(a.Keys) != 1 || a.Keys[0].Name != "ecs:CommandRunAs" || len(a.Keys[0].Defaults) != 2 {
		t.Errorf("%+v", a)
	}
	for text, want := range map[string]string{
		"A read":                                      "version",
		"version 2014-05-26\nA":                       "read or write",
		"version 2014-05-26\nA perhaps":               "read or write",
		"version 2014-05-26\nA read x":                "neither a resource",
		"version 2014-05-26\nA read\nA read":          "twice",
		"version 2014-05-26\nA-B read":                "not the name",
		"version 2014-05-26\nA write thing/{ThingId}": "must end in",
		"version tomorrow\nA read":                    "version",
		"version 2014-05-26\nA read instance/{A B}":   "neither",
		"version 2014-05-26\nA read @ecs:Key=":        "neither",
		"version 2014-05-26\nA read INSTANCE/{Id}":    "neither",
		"version 2014-05-26\nA write -X instance/{Y}": "must end in",
		"version 2014-05-26\nA write instance/{Y}!!":  "neither",
		"version 2014-05-26\nA write instance/i-1":    "neither",
		"version 2014-05-26\n1A read":                 "not the name",
		"version 2014-05-26 x\nA read":                "read or write",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("version 2014-05-26\nA read instance/{X}\n")
	f.Add("version 2014-05-26\nA write instance/* -Y @a:b=C|d+e\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := Parse(text)
		if (table == nil) == (err == nil) {
			t.Fatal("a table and an error, or neither")
		}
	})
}

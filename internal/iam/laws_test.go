package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/iam"
)

func TestNames(t *testing.T) {
	for _, s := range []string{"a", "Bob.Smith+x=1,2@example-corp_", strings.Repeat("x", 64)} {
		if err := iam.CheckName("userName", s, iam.MaxUserName); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", strings.Repeat("x", 65), "a b", "a/b", "é", "a\x00", "a\n", "＠", "a:b"} {
		err := iam.CheckName("userName", s, iam.MaxUserName)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "userName") {
			t.Errorf("%q: %v; want a refusal that names the field", s, err)
		}
	}
}

func TestPaths(t *testing.T) {
	for _, s := range []string{"/", "/a/", "/test//double/", "/" + strings.Repeat("x", 510) + "/"} {
		if err := iam.CheckPath("path", s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "a/", "/a", "/a b/", "/é/", "/a\n/", "/" + strings.Repeat("x", 511) + "/"} {
		if err := iam.CheckPath("path", s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestTags(t *testing.T) {
	many := make([]iam.Tag, iam.MaxTags)
	for i := range many {
		many[i] = iam.Tag{Key: fmt.Sprint("k", i), Value: "値 1"}
	}
	if err := iam.CheckTags(many, true); err != nil {
		t.Error(err)
	}
	for name, tags := range map[string][]iam.Tag{
		"51":         append(many, iam.Tag{Key: "one more"}),
		"no key":     {{}},
		"long key":   {{Key: strings.Repeat("k", 129)}},
		"long value": {{Key: "k", Value: strings.Repeat("v", 257)}},
		"odd key":    {{Key: "a<b"}},
		"odd value":  {{Key: "k", Value: "a;b"}},
		"twice":      {{Key: "k"}, {Key: "K"}},
	} {
		if err := iam.CheckTags(tags, true); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := iam.CheckTags([]iam.Tag{{Key: "k"}, {Key: "K"}}, false); err != nil {
		t.Errorf("keys that differ in case, where case counts: %v", err)
	}
}

func TestTaggedReplacesAndAdds(t *testing.T) {
	old := []iam.Tag{{Key: "Team", Value: "red"}, {Key: "x", Value: "1"}}
	got := iam.Tagged(old, []iam.Tag{{Key: "team", Value: "blue"}, {Key: "y", Value: "2"}}, true)
	if fmt.Sprint(got) != "[{team blue} {x 1} {y 2}]" {
		t.Error(got)
	}
	if fmt.Sprint(old) != "[{Team red} {x 1}]" {
		t.Errorf("the old tags were changed: %v", old)
	}
	if got := iam.Tagged(old, []iam.Tag{{Key: "team", Value: "blue"}}, false); len(got) != 3 {
		t.Error(got)
	}
	if got := iam.Untagged(old, []string{"TEAM", "none"}, true); fmt.Sprint(got) != "[{x 1}]" {
		t.Error(got)
	}
	if got := iam.Untagged(old, []string{"TEAM"}, false); len(got) != 2 {
		t.Error(got)
	}
	if i := iam.TagIndex(old, "TEAM"); i != 0 {
		t.Error(i)
	}
}

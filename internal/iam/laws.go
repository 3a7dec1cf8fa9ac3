package iam

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"warifu/internal/fault"
)

// Limits of names and texts, in characters (AWS IAM API reference; the widest
// of the clouds where they differ).
const (
	MaxName      = 128 // group, policy, instance profile; users and roles: MaxUserName
	MaxUserName  = 64
	MaxPath      = 512
	MaxTags      = 50
	MaxTagKey    = 128
	MaxTagValue  = 256
	MaxDescribed = 1000 // descriptions
)

// Fold is the form in which names are compared: AWS keeps the case that was
// given and allows no second name that differs only in case.
func Fold(name string) string { return strings.ToLower(name) }

// CheckName refuses a name that is empty, longer than max characters, or holds
// anything but letters, digits and _+=,.@- (AWS's pattern for friendly names).
func CheckName(field, s string, max int) error {
	if s == "" || utf8.RuneCountInString(s) > max {
		return fault.Field(field, "%s must have 1 to %d characters", field, max)
	}
	for _, r := range s {
		if !nameRune(r) {
			return fault.Field(field, "%s may hold letters, digits and _+=,.@- only; found %q", field, r)
		}
	}
	return nil
}

func nameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_+=,.@-", r)
}

// CheckPath refuses a path that does not begin and end with a slash, is longer
// than 512, or holds anything but printable ASCII.
func CheckPath(field, s string) error {
	if len(s) > MaxPath || !strings.HasPrefix(s, "/") || !strings.HasSuffix(s, "/") {
		return fault.Field(field, "%s must begin and end with / and have at most %d characters", field, MaxPath)
	}
	for _, r := range s {
		if r < '!' || r > 0x7f {
			return fault.Field(field, "%s may hold printable ASCII characters only", field)
		}
	}
	return nil
}

// CheckTags refuses more than MaxTags tags, keys and values out of bounds, and
// keys that stand twice. fold says that keys are compared without case.
func CheckTags(tags []Tag, fold bool) error {
	if len(tags) > MaxTags {
		return fault.Field("tags", "at most %d tags", MaxTags)
	}
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		if n := utf8.RuneCountInString(t.Key); n < 1 || n > MaxTagKey || !tagText(t.Key) {
			return fault.Field("tags", "a tag key has 1 to %d letters, digits, spaces and _.:/=+-@", MaxTagKey)
		}
		if utf8.RuneCountInString(t.Value) > MaxTagValue || !tagText(t.Value) {
			return fault.Field("tags", "a tag value has at most %d letters, digits, spaces and _.:/=+-@", MaxTagValue)
		}
		k, noun := t.Key, "duplicate tag key"
		if fold {
			k, noun = Fold(k), "duplicate tag"
		}
		if seen[k] {
			return &fault.Error{Kind: fault.Invalid, Noun: noun, Name: t.Key, What: "the tag key " + t.Key + " stands twice"}
		}
		seen[k] = true
	}
	return nil
}

func tagText(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return true
}

// TagIndex finds a tag by key, without case; -1 if there is none.
func TagIndex(tags []Tag, key string) int {
	return slices.IndexFunc(tags, func(t Tag) bool { return strings.EqualFold(t.Key, key) })
}

// Tagged returns tags with set added or replaced; old is not changed.
func Tagged(old, set []Tag, fold bool) []Tag {
	out := slices.Clone(old)
	for _, t := range set {
		i := slices.IndexFunc(out, func(o Tag) bool { return o.Key == t.Key || fold && strings.EqualFold(o.Key, t.Key) })
		if i < 0 {
			out = append(out, t)
		} else {
			out[i] = t
		}
	}
	return out
}

// Untagged returns tags without the keys given; old is not changed.
func Untagged(old []Tag, keys []string, fold bool) []Tag {
	return slices.DeleteFunc(slices.Clone(old), func(o Tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return o.Key == k || fold && strings.EqualFold(o.Key, k) })
	})
}

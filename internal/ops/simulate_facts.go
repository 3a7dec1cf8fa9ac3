package ops

import (
	"cmp"
	"encoding/base64"
	"net/netip"
	"strings"

	"warifu/internal/fault"
	"warifu/policy"
)

// valueForms are the types of context values, without List behind.
var valueForms = map[string]func(string) bool{
	"string":  func(string) bool { return true },
	"numeric": func(s string) bool { _, ok := policy.ParseNumber(s); return ok },
	"boolean": func(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") },
	"ip": func(s string) bool {
		_, err := netip.ParseAddr(s)
		return err == nil
	},
	"binary": func(s string) bool {
		_, err := base64.StdEncoding.DecodeString(s)
		return err == nil
	},
	"date": func(s string) bool { _, ok := policy.ParseInstant(s); return ok },
}

func (s *simulation) readContext() error {
	s.given = policy.Map{}
	for _, e := range s.in.Context {
		form, list := strings.CutSuffix(cmp.Or(e.Type, "stringList"), "List")
		valid := valueForms[form]
		if valid == nil {
			return fault.Field("contextEntries", "%s is no type of a context key", e.Type)
		}
		if !list && len(e.Values) != 1 {
			return fault.Field("contextEntries", "%s is of type %s and has %d values; it must have one", e.Key, e.Type, len(e.Values))
		}
		for _, v := range e.Values {
			if !valid(v) {
				return fault.Field("contextEntries", "%q is no value of type %s for %s", v, e.Type, e.Key)
			}
		}
		if len(e.Values) == 1 {
			s.given.Set(e.Key, policy.String(e.Values[0]))
		} else {
			s.given.Set(e.Key, policy.Strings(e.Values...))
		}
	}
	return nil
}

// supposedFacts answers for a request that nobody makes: what was given, and what
// follows from the caller, the resource and the clock. Where a request would come from
// and how it would be proved is not known unless it was given.
type supposedFacts struct {
	given policy.Map
	facts
}

func (f *supposedFacts) Lookup(key *policy.Key) policy.Fact {
	if v, ok := f.given[key.Name]; ok {
		return v
	}
	switch key.Slot {
	case keyUsername, keyPrincipalARN, keyACSPrincipalARN:
		if c := &f.call.Caller; c.User.Name != "" || c.Role.Name != "" {
			return f.facts.Lookup(key)
		}
	case keyUserID:
		if f.call.Caller.ID() != 0 {
			return f.facts.Lookup(key)
		}
	case keyPrincipalAccount, keyPrincipalType, keyPrincipalTag, keyCurrentTime, keyACSCurrentTime, keyEpochTime, keyResourceTag, keyIAMResourceTag, keyACSResourceTag, keyResourceAccount, keyViaService, keyIsAWSService:
		return f.facts.Lookup(key)
	}
	return policy.Fact{}
}

package ops

import (
	"encoding/json"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/password"
	"warifu/internal/store"
)

// OracleTenancy is the account as Oracle's door shows it.
type OracleTenancy struct {
	Account iam.Account
	Name    string
}

// GetTenancy reads the tenancy.
//
// Errors: NotFound for another's.
var GetTenancy = Op[string, *OracleTenancy]{
	Name:   "GetTenancy",
	Grants: Names{AWS: "iam:GetAccountSummary", OCI: "GetTenancy"},
	Target: func(*Env, string) (Target, error) { return Target{Noun: "tenancy"}, nil },
	Do: func(env *Env, ocid string) (*OracleTenancy, error) {
		if err := env.inRoot(ocid); err != nil {
			return nil, fault.Of(fault.NotFound, "tenancy", ocid)
		}
		a, err := env.Tx.Account(env.Call.Caller.Account)
		if err != nil {
			return nil, err
		}
		return &OracleTenancy{*a, tenancyName(a)}, nil
	},
}

// ListOracleRegions tells that there is a region. It is how clients ask whether their
// session is good, so that whoever is signed in may, unless a statement denies it.
var ListOracleRegions = Op[struct{}, struct{}]{
	Name:       "ListRegions",
	Grants:     Names{AWS: "warifu:ListRegions", OCI: "ListRegions"},
	Permission: UnlessDenied,
	Target:     func(*Env, struct{}) (Target, error) { return Target{Noun: "regions"}, nil },
	Do:         func(*Env, struct{}) (none struct{}, err error) { return none, nil },
}

// ListOraclePlaces tells of availability and fault domains, of which there is one.
var ListOraclePlaces = Op[string, string]{
	Name:   "ListAvailabilityDomains",
	Grants: Names{AWS: "warifu:ListAvailabilityDomains", OCI: "ListAvailabilityDomains"},
	Target: func(env *Env, compartment string) (Target, error) {
		return env.inCompartment("availability domains", compartment)
	},
	Do: func(env *Env, compartment string) (string, error) {
		_, err := env.openCompartment(compartment)
		return compartment, err
	},
}

// OraclePasswords is what the tenancy asks of passwords.
type OraclePasswords struct {
	password.Policy
	Account  name.Account
	Networks []string // OCIDs of the network sources from which alone users sign in; none = anywhere
	ETag     string
}

// oraclePasswords is what the tenancy asks now.
func (env *Env) oraclePasswords() (*OraclePasswords, error) {
	p, err := env.passwordPolicy()
	if err != nil {
		return nil, err
	}
	from, err := oracleNetworkPolicy(env.Tx, env.Call.Caller.Account)
	return &OraclePasswords{p, env.Call.Caller.Account, from, etagOf(p, from)}, err
}

// networkPolicySlot is the slot of the one network policy that there is.
const networkPolicySlot = "policy"

// oracleNetworkPolicy are the network sources from which alone users sign in.
func oracleNetworkPolicy(tx *store.Tx, a name.Account) (ids []string, err error) {
	n, err := tx.OracleNounAt(a, iam.OracleSignInFrom, networkPolicySlot)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	if err := json.Unmarshal([]byte(n.Body), &ids); err != nil {
		return nil, fault.Wrap(err, "read the stored network policy")
	}
	return ids, nil
}

// oracleSignInFrom are the networks behind those sources, as iam.Preferences has them.
func oracleSignInFrom(tx *store.Tx, a name.Account) (text string, err error) {
	var from []string
	ids, err := oracleNetworkPolicy(tx, a)
	for i := 0; i < len(ids) && err == nil; i++ {
		id, _ := name.ParseIDOf(name.OCINetworkSource, ids[i])
		var n *iam.OracleNoun
		if n, err = tx.OracleNoun(a, iam.OracleNetworkSource, id); err != nil {
			break
		}
		for _, s := range (&OracleNoun{OracleNoun: *n}).Network().Public {
			if p, ok := parseRange(s); ok {
				from = append(from, p.String())
			}
		}
	}
	return strings.Join(from, ";"), err
}

// setNetworkPolicy says from where users sign in.
func (env *Env) setNetworkPolicy(ids []string) error {
	if len(ids) > 1 {
		return fault.Field("networkSourceIds", "networkSourceIds must have at most one entry")
	}
	a := env.Call.Caller.Account
	for i, ocid := range ids {
		id, ok := name.ParseIDOf(name.OCINetworkSource, ocid)
		if !ok {
			return fault.Of(fault.NotFound, string(iam.OracleNetworkSource), ocid)
		}
		n, err := env.Tx.OracleNoun(a, iam.OracleNetworkSource, id)
		if err != nil {
			return err
		}
		if len((&OracleNoun{OracleNoun: *n}).Network().Public) == 0 {
			return fault.Field("networkSourceIds", "networkSourceIds: %s has no public addresses, so that nobody could sign in", n.Name)
		}
		ids[i] = id.OCID(name.OCINetworkSource)
	}
	old, err := env.Tx.OracleNounAt(a, iam.OracleSignInFrom, networkPolicySlot)
	if err == nil {
		err = env.Tx.DeleteOracleNoun(old)
	}
	if ignoreMissing(err) != nil || len(ids) == 0 {
		return ignoreMissing(err)
	}
	n, err := env.newNameless(iam.OracleSignInFrom)
	if err != nil {
		return err
	}
	n.Slot = networkPolicySlot
	if n.Body, err = bodyOf(ids); err != nil {
		return err
	}
	return env.Tx.InsertOracleNoun(n)
}

// GetAuthenticationPolicy reads what the tenancy asks of passwords.
var GetAuthenticationPolicy = Op[string, *OraclePasswords]{
	Name:   "GetAuthenticationPolicy",
	Grants: Names{AWS: "iam:GetAccountPasswordPolicy", OCI: "GetAuthenticationPolicy"},
	Target: func(*Env, string) (Target, error) { return Target{Noun: "password policy"}, nil },
	Do: func(env *Env, ocid string) (*OraclePasswords, error) {
		if err := env.inRoot(ocid); err != nil {
			return nil, fault.Of(fault.NotFound, "tenancy", ocid)
		}
		return env.oraclePasswords()
	},
}

// OraclePasswordsIn is the input of UpdateAuthenticationPolicy; what is nil stays.
type OraclePasswordsIn struct {
	Tenancy string
	IfMatch string
	PasswordPolicyChange
	Networks []string // nil stays
}

func (in OraclePasswordsIn) record() audit.Fields {
	f := in.PasswordPolicyChange.record()
	if in.Networks != nil {
		f["networkSourceIds"] = clipped(strings.Join(in.Networks, ","))
	}
	return f
}

// UpdateAuthenticationPolicy sets what the tenancy asks of passwords.
//
// Errors: NotFound; Invalid; Conflict, noun "etag".
var UpdateAuthenticationPolicy = Op[OraclePasswordsIn, *OraclePasswords]{
	Name:   "UpdateAuthenticationPolicy",
	Grants: Names{AWS: "iam:UpdateAccountPasswordPolicy", OCI: "UpdateAuthenticationPolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(*Env, OraclePasswordsIn) (Target, error) { return Target{Noun: "password policy"}, nil },
	Record: OraclePasswordsIn.record,
	Do: func(env *Env, in OraclePasswordsIn) (*OraclePasswords, error) {
		if err := env.inRoot(in.Tenancy); err != nil {
			return nil, fault.Of(fault.NotFound, "tenancy", in.Tenancy)
		}
		now, err := env.oraclePasswords()
		if err != nil {
			return nil, err
		}
		if err := matches(in.IfMatch, now.ETag); err != nil {
			return nil, err
		}
		p := now.Policy
		in.apply(&p)
		if err := p.Check(); err != nil {
			return nil, err
		}
		if in.Networks != nil {
			if err := env.setNetworkPolicy(in.Networks); err != nil {
				return nil, err
			}
		}
		if err := env.setPasswordPolicy(p); err != nil {
			return nil, err
		}
		return env.oraclePasswords()
	},
}

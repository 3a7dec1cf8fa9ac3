package ops

import (
	"strconv"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/password"
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
	Account name.Account
	ETag    string
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
		p, err := env.passwordPolicy()
		return &OraclePasswords{p, env.Call.Caller.Account, etagOf(p)}, err
	},
}

// OraclePasswordsIn is the input of UpdateAuthenticationPolicy; what is nil stays.
type OraclePasswordsIn struct {
	Tenancy                         string
	IfMatch                         string
	Length                          *int
	Upper, Lower, Numbers, Specials *bool
	Networks                        []string
}

// UpdateAuthenticationPolicy sets what the tenancy asks of passwords.
//
// Errors: NotFound; Invalid; Conflict, noun "etag"; Unsupported for network sources.
var UpdateAuthenticationPolicy = Op[OraclePasswordsIn, *OraclePasswords]{
	Name:   "UpdateAuthenticationPolicy",
	Grants: Names{AWS: "iam:UpdateAccountPasswordPolicy", OCI: "UpdateAuthenticationPolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(*Env, OraclePasswordsIn) (Target, error) { return Target{Noun: "password policy"}, nil },
	Record: func(in OraclePasswordsIn) audit.Fields {
		f := audit.Fields{}
		if in.Length != nil {
			f["minimumPasswordLength"] = strconv.Itoa(*in.Length)
		}
		return f
	},
	Do: func(env *Env, in OraclePasswordsIn) (*OraclePasswords, error) {
		if err := env.inRoot(in.Tenancy); err != nil {
			return nil, fault.Of(fault.NotFound, "tenancy", in.Tenancy)
		}
		if len(in.Networks) > 0 {
			return nil, fault.New(fault.Unsupported, "networkPolicy is not served: the account's security preferences say from where people sign in")
		}
		p, err := env.passwordPolicy()
		if err != nil {
			return nil, err
		}
		if err := matches(in.IfMatch, etagOf(p)); err != nil {
			return nil, err
		}
		if in.Length != nil {
			p.MinimumLength = *in.Length
		}
		for _, f := range []struct{ to, from *bool }{
			{&p.RequireUppercase, in.Upper}, {&p.RequireLowercase, in.Lower}, {&p.RequireNumbers, in.Numbers}, {&p.RequireSymbols, in.Specials},
		} {
			if f.from != nil {
				*f.to = *f.from
			}
		}
		if err := p.Check(); err != nil {
			return nil, err
		}
		return &OraclePasswords{p, env.Call.Caller.Account, etagOf(p)}, env.Tx.SetPasswordPolicy(env.Call.Caller.Account, p.Text())
	},
}

package ops

import (
	"encoding/json"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/page"
)

// reportLife is for how long a report is not made anew (AWS and Alibaba Cloud: four
// hours).
const reportLife = 4 * time.Hour

// GenerateCredentialReport makes a report on the credentials of all users, unless
// the last one is younger than four hours. It tells whether it made one.
var GenerateCredentialReport = Op[struct{}, bool]{
	Name:   "GenerateCredentialReport",
	Grants: Names{AWS: "iam:GenerateCredentialReport"},
	Mode:   Write,
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "credential report"}, nil },
	Record: func(struct{}) audit.Fields { return nil },
	Do: func(env *Env, _ struct{}) (bool, error) {
		last, _, err := env.Tx.CredentialReport(env.Call.Caller.Account)
		if err := ignoreMissing(err); err != nil || env.Now.Sub(last) < reportLife {
			return false, err
		}
		rows, err := env.credentials()
		if err != nil {
			return false, err
		}
		body, err := json.Marshal(rows)
		if err != nil {
			return false, fault.Wrap(err, "write a credential report")
		}
		return true, env.Tx.SetCredentialReport(env.Call.Caller.Account, env.Now, string(body))
	},
}

// CredentialReport is a page of a report.
type CredentialReport struct {
	Made                         time.Time
	page.Page[iam.CredentialRow] // root first, then users by name
}

// GetCredentialReport reads the last report.
//
// Errors: NotFound, noun "credential report"; Invalid page.
var GetCredentialReport = Op[Listing, *CredentialReport]{
	Name:   "GetCredentialReport",
	Grants: Names{AWS: "iam:GetCredentialReport"},
	Target: func(*Env, Listing) (Target, error) { return Target{Noun: "credential report"}, nil },
	Do: func(env *Env, in Listing) (*CredentialReport, error) {
		at, rows, err := env.lastReport()
		if err != nil {
			return nil, err
		}
		out := &CredentialReport{Made: at}
		out.Page, err = pagedBy(env, "GetCredentialReport", []string{strconv.FormatInt(at.UnixMicro(), 10)}, in, func(after page.Key, limit int) ([]iam.CredentialRow, error) {
			from := 0
			for after != nil && from < len(rows) && rows[from].ID.String() != after[0] {
				from++
			}
			if after != nil {
				from++
			}
			rest := rows[min(from, len(rows)):]
			return rest[:min(limit, len(rest))], nil
		}, func(r iam.CredentialRow) page.Key { return page.Key{r.ID.String()} })
		return out, err
	},
}

// GetWholeCredentialReport is GetCredentialReport without pages.
//
// Errors: NotFound, noun "credential report".
var GetWholeCredentialReport = Op[struct{}, *CredentialReport]{
	Name:   GetCredentialReport.Name,
	Grants: GetCredentialReport.Grants,
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "credential report"}, nil },
	Do: func(env *Env, _ struct{}) (*CredentialReport, error) {
		at, rows, err := env.lastReport()
		if err != nil {
			return nil, err
		}
		return &CredentialReport{Made: at, Page: page.Page[iam.CredentialRow]{Items: rows}}, nil
	},
}

// lastReport reads the last report and when it was made.
func (env *Env) lastReport() (at time.Time, rows []iam.CredentialRow, err error) {
	at, body, err := env.Tx.CredentialReport(env.Call.Caller.Account)
	if err != nil {
		return at, nil, err
	}
	if err := json.Unmarshal([]byte(body), &rows); err != nil {
		return at, nil, fault.Wrap(err, "read a credential report")
	}
	return at, rows, nil
}

// credentials are those of all users, root first, as of now.
func (env *Env) credentials() ([]iam.CredentialRow, error) {
	rows, err := env.Tx.CredentialRows(env.Call.Caller.Account)
	if err != nil {
		return nil, err
	}
	p, err := env.passwordPolicy()
	if err != nil {
		return nil, err
	}
	for i := range rows {
		r := &rows[i]
		if r.Password && p.MaxAge > 0 {
			r.PasswordDue = r.PasswordChanged.AddDate(0, 0, p.MaxAge)
		}
		for j := range r.Keys {
			k := &r.Keys[j]
			if v, ok := env.usage.key(k.ID); ok && v.at.After(k.Used) {
				k.Used, k.Service, k.Region = v.at, v.service, v.region
			}
		}
	}
	return rows, nil
}

package alibaba

import (
	"encoding/base64"
	"encoding/csv"
	"strconv"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

func imsReports() []action {
	of := serviceIMS
	return []action{
		plain(of, "GetAccountSecurityPracticeReport", ops.GetAccountSecurityPracticeReport, noInput, practiceAnswer),
		plain(of, "GenerateCredentialReport", ops.GenerateCredentialReport, noInput, func(made bool) reportState {
			if made {
				return reportState{"STARTED"}
			}
			return reportState{"COMPLETED"}
		}),
		bind(of, "GetCredentialReport", ops.GetCredentialReport, (*reportInput).in, func(_ *scene, r *ops.CredentialReport) reportOutput {
			return reportOutput{base64.StdEncoding.EncodeToString(csvOf(r.Items)), when(r.Made), strconv.FormatBool(r.Next != ""), string(r.Next)}
		}),
	}
}

type practice struct {
	Score                           int
	AccountSecurityPracticeUserInfo practiceUsers
}

type practiceUsers struct {
	BindMfa                    bool
	OldAkNum                   int
	RootWithAccessKey          int
	SubUser                    int
	SubUserBindMfa             int
	SubUserPwdLevel            string
	SubUserWithOldAccessKey    int
	SubUserWithUnusedAccessKey int
	UnusedAkNum                int
}

type practiceOutput struct{ AccountSecurityPracticeInfo practice }

func practiceAnswer(p *ops.Practice) practiceOutput {
	return practiceOutput{practice{p.Score, practiceUsers{
		p.RootMFA, p.OldKeys, p.RootKeys, p.Users, p.UsersWithMFA, passwordLevel(p.Passwords), p.UsersWithOldKeys, p.UsersWithUnusedKeys, p.UnusedKeys,
	}}}
}

// passwordLevel grades a password policy by what must be guessed: high from twelve
// characters on, or from eight of three kinds; low below eight.
func passwordLevel(p ops.PasswordPolicy) string {
	kinds := 0
	for _, asked := range []bool{p.RequireLowercase, p.RequireUppercase, p.RequireNumbers, p.RequireSymbols} {
		if asked {
			kinds++
		}
	}
	switch {
	case p.MinimumLength < 8:
		return "low"
	case p.MinimumLength >= 12 || kinds >= 3:
		return "high"
	}
	return "mid"
}

type reportState struct{ State string }

type reportInput struct {
	MaxItems  string
	NextToken string
}

func (s *reportInput) in(*scene) (ops.Listing, error) {
	l := ops.Listing{Limit: ops.MaxPage, Cursor: s.NextToken}
	if s.MaxItems == "" || s.MaxItems == "null" {
		return l, nil
	}
	n, err := strconv.Atoi(s.MaxItems)
	if err != nil || n < 1 {
		return l, &failure{400, "InvalidParameter.MaxItems", `The parameter - "MaxItems" must be a number from 1 on.`}
	}
	l.Limit = min(n, ops.MaxPage)
	return l, nil
}

type reportOutput struct {
	Content       string
	GeneratedTime string
	IsTruncated   string
	NextToken     string
}

// The columns of a report. A third key and those beyond are the additional ones.
const reportColumns = "user,user_creation_time,user_last_logon,password_exist,password_active,password_last_changed,password_next_rotation,mfa_active," +
	"access_key_1_exist,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used," +
	"access_key_2_exist,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used," +
	"additional_access_key_1_exist,additional_access_key_1_active,additional_access_key_1_last_rotated,additional_access_key_1_last_used," +
	"additional_access_key_2_exist,additional_access_key_2_active,additional_access_key_2_last_rotated,additional_access_key_2_last_used"

const reportKeys = 4

// csvOf writes rows below the names of the columns (RFC 4180).
func csvOf(rows []iam.CredentialRow) []byte {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(strings.Split(reportColumns, ",")) // a strings.Builder takes everything
	for i := range rows {
		r := &rows[i]
		called := r.Name
		if r.Root {
			called = "<root>"
		}
		line := []string{called, orDash(when(r.Created)), orDash(when(r.PasswordUsed)), upper(r.Password), "-", "-", "-", upper(r.MFA)}
		if r.Password {
			line[4], line[5], line[6] = upper(r.PasswordActive), when(r.PasswordChanged), orDash(when(r.PasswordDue))
		}
		for k := range reportKeys {
			if k >= len(r.Keys) {
				line = append(line, "FALSE", "-", "-", "-")
				continue
			}
			line = append(line, "TRUE", upper(r.Keys[k].Active), when(r.Keys[k].Created), orDash(when(r.Keys[k].Used)))
		}
		w.Write(line)
	}
	w.Flush()
	return []byte(b.String())
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func upper(b bool) string { return strings.ToUpper(strconv.FormatBool(b)) }

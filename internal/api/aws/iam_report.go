package aws

import (
	"cmp"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

func reportActions() []action {
	return []action{
		iamAction("GenerateCredentialReport", ops.GenerateCredentialReport, nothing, func(made bool) reportState {
			if made {
				return reportState{"STARTED", "No report exists. Starting a new report generation task"}
			}
			return reportState{State: "COMPLETE"}
		}),
		iamAction("GetCredentialReport", ops.GetWholeCredentialReport, nothing, func(r *ops.CredentialReport) reportOutput {
			return reportOutput{reportText(r.Items), r.Made, "text/csv"}
		}),
		iamAction("GenerateServiceLastAccessedDetails", ops.GenerateServiceLastAccessedDetails, func(s *accessedInput) ops.LastAccessedIn {
			return ops.LastAccessedIn{ARN: s.Arn, Actions: s.Granularity == actionLevel}
		}, func(job string) accessedJob { return accessedJob{job} }),
		iamAction("GetServiceLastAccessedDetails", ops.GetServiceLastAccessedDetails, func(s *readAccessedInput) ops.ReadLastAccessedIn {
			return ops.ReadLastAccessedIn{Job: s.JobId, Listing: s.listing("")}
		}, accessedPage),
	}
}

type reportState struct {
	State       string
	Description string
}

type reportOutput struct {
	Content       []byte
	GeneratedTime time.Time
	ReportFormat  string
}

// The columns of a report. A user's keys beyond the second have none.
const reportColumns = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active," +
	"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
	"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"

const (
	reportKeys    = 2
	notApplicable = "N/A"
	noInformation = "no_information"
	notSupported  = "not_supported" // what AWS does not tell of root's password
)

// reportText writes rows below the names of the columns (RFC 4180).
func reportText(rows []iam.CredentialRow) []byte {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(strings.Split(reportColumns, ",")) // a strings.Builder takes everything
	for i := range rows {
		w.Write(reportLine(&rows[i]))
	}
	w.Flush()
	return []byte(b.String())
}

func reportLine(r *iam.CredentialRow) []string {
	u := iam.User{ID: r.ID, Account: r.Account, Root: r.Root, Name: r.Name, Path: r.Path}
	line := []string{r.Name, u.ARN(), reportTime(r.Created, notApplicable)}
	switch {
	case r.Root:
		line[0] = "<root_account>"
		line = append(line, notSupported, reportTime(r.PasswordUsed, noInformation), notSupported, notSupported)
	case !r.Password:
		line = append(line, "false", notApplicable, notApplicable, notApplicable)
	default:
		line = append(line, strconv.FormatBool(r.PasswordActive), reportTime(r.PasswordUsed, noInformation), reportTime(r.PasswordChanged, notApplicable), reportTime(r.PasswordDue, notApplicable))
	}
	line = append(line, strconv.FormatBool(r.MFA))
	for k := range reportKeys {
		if k >= len(r.Keys) {
			line = append(line, "false", notApplicable, notApplicable, notApplicable, notApplicable)
			continue
		}
		key := &r.Keys[k]
		line = append(line, strconv.FormatBool(key.Active), reportTime(key.Created, notApplicable), reportTime(key.Used, notApplicable))
		for _, text := range []string{key.Region, key.Service} {
			if text == "" {
				text = notApplicable
			}
			line = append(line, text)
		}
	}
	return append(line, "false", notApplicable, "false", notApplicable)
}

// reportTime spells a time, or a word for one that there is not.
func reportTime(t time.Time, otherwise string) string {
	if t.IsZero() {
		return otherwise
	}
	return t.UTC().Format("2006-01-02T15:04:05-07:00")
}

// The granularities of a report on what was used.
const (
	actionLevel  = "ACTION_LEVEL"
	serviceLevel = "SERVICE_LEVEL"
)

type accessedInput struct {
	Arn         string `aws:",required" len:"20,2048"`
	Granularity string `enum:"SERVICE_LEVEL ACTION_LEVEL"`
}

type accessedJob struct{ JobId string }

type readAccessedInput struct {
	JobId string `aws:",required" len:"36,36"`
	listInput
}

type accessedOutput struct {
	JobStatus            string
	JobType              string
	JobCreationDate      time.Time
	JobCompletionDate    time.Time
	ServicesLastAccessed []serviceAccessed
	paging
}

type serviceAccessed struct {
	ServiceName                string
	ServiceNamespace           string
	LastAuthenticated          time.Time
	LastAuthenticatedEntity    string
	TotalAuthenticatedEntities int32 `aws:",keep"`
	TrackedActionsLastAccessed []actionAccessed
}

type actionAccessed struct {
	ActionName         string
	LastAccessedEntity string
	LastAccessedTime   time.Time
}

func accessedPage(r *ops.LastAccessed) accessedOutput {
	out := accessedOutput{JobStatus: "COMPLETED", JobType: serviceLevel, JobCreationDate: r.Asked, JobCompletionDate: r.Asked, paging: pagingOf(r.Next)}
	if r.Actions {
		out.JobType = actionLevel
	}
	for i := range r.Items {
		w := &r.Items[i]
		s := serviceAccessed{ServiceName: cmp.Or(w.Name, w.Prefix), ServiceNamespace: w.Prefix}
		if w.Used > 0 {
			s.LastAuthenticated, s.LastAuthenticatedEntity, s.TotalAuthenticatedEntities = w.Last, r.Principal, 1
		}
		if r.Actions {
			for _, a := range w.Actions {
				_, called, _ := strings.Cut(a.Action, ":")
				s.TrackedActionsLastAccessed = append(s.TrackedActionsLastAccessed, actionAccessed{called, r.Principal, a.At})
			}
		}
		out.ServicesLastAccessed = append(out.ServicesLastAccessed, s)
	}
	return out
}

package aws_test

import (
	"encoding/csv"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A credential report is made on request, for four hours, and has a line for every
// user as AWS's has, by its own SDK.
func TestCredentialReport(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		c, ctx := d.iam(d.admin()), t.Context()
		_, err := c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
		var answer *smithyhttp.ResponseError
		if !errors.As(err, &answer) || answer.HTTPStatusCode() != http.StatusGone || !strings.Contains(err.Error(), "ReportNotPresent") {
			t.Errorf("before the first: %v", err)
		}
		if _, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: awssdk.String("alice"), Path: awssdk.String("/team/")}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: awssdk.String("alice"), Password: awssdk.String("correct horse battery 7!")}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []types.ReportStateType{types.ReportStateTypeStarted, types.ReportStateTypeComplete} {
			made, err := c.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
			if err != nil || made.State != want {
				t.Errorf("%+v, %v, want %s", made, err, want)
			}
		}
		r, err := c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(r.Content))).ReadAll()
		if err != nil || len(rows) != 4 || r.ReportFormat != types.ReportFormatTypeTextCsv || !r.GeneratedTime.Equal(d.Now()) {
			t.Fatalf("%v %v %+v", rows, err, r)
		}
		byName := map[string]map[string]string{}
		for _, row := range rows[1:] {
			byName[row[0]] = map[string]string{}
			for i, column := range rows[0] {
				byName[row[0]][column] = row[i]
			}
		}
		now := d.Now().UTC().Format("2006-01-02T15:04:05") + "+00:00"
		for _, want := range [][3]string{
			{"<root_account>", "arn", "arn:aws:iam::123456789012:root"}, {"<root_account>", "password_enabled", "not_supported"},
			{"alice", "arn", "arn:aws:iam::123456789012:user/team/alice"}, {"alice", "user_creation_time", now}, {"alice", "password_enabled", "true"},
			{"alice", "password_last_used", "no_information"}, {"alice", "password_last_changed", now}, {"alice", "mfa_active", "false"},
			{"alice", "access_key_1_active", "false"}, {"alice", "access_key_1_last_rotated", "N/A"}, {"alice", "cert_1_active", "false"},
			{"admin", "password_enabled", "false"}, {"admin", "password_last_used", "N/A"}, {"admin", "access_key_1_active", "true"}, {"admin", "access_key_1_last_used_service", "iam"},
		} {
			if got := byName[want[0]][want[1]]; got != want[2] {
				t.Errorf("%s of %s is %q, want %q", want[1], want[0], got, want[2])
			}
		}
		d.Clock.Advance(4 * time.Hour)
		if made, err := c.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}); err != nil || made.State != types.ReportStateTypeStarted {
			t.Errorf("after four hours: %+v, %v", made, err)
		}
	})
}

// What a user was given and used is told by AWS's SDK, too.
func TestServiceLastAccessed(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		c, ctx := d.iam(d.admin()), t.Context()
		for range 2 {
			if _, err := c.ListUsers(ctx, &iam.ListUsersInput{}); err != nil {
				t.Fatal(err)
			}
		}
		job, err := c.GenerateServiceLastAccessedDetails(ctx, &iam.GenerateServiceLastAccessedDetailsInput{
			Arn: awssdk.String("arn:aws:iam::123456789012:user/admin"), Granularity: types.AccessAdvisorUsageGranularityTypeActionLevel})
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.GetServiceLastAccessedDetails(ctx, &iam.GetServiceLastAccessedDetailsInput{JobId: job.JobId})
		if err != nil || r.JobStatus != types.JobStatusTypeCompleted || len(r.ServicesLastAccessed) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		s := r.ServicesLastAccessed[0]
		if *s.ServiceNamespace != "iam" || *s.TotalAuthenticatedEntities != 1 || !s.LastAuthenticated.Equal(d.Now()) || *s.LastAuthenticatedEntity != "arn:aws:iam::123456789012:user/admin" {
			t.Errorf("%+v", s)
		}
		found := false
		for _, a := range s.TrackedActionsLastAccessed {
			found = found || *a.ActionName == "ListUsers"
		}
		if !found {
			t.Errorf("actions %+v", s.TrackedActionsLastAccessed)
		}
		if _, err := c.GetServiceLastAccessedDetails(ctx, &iam.GetServiceLastAccessedDetailsInput{JobId: awssdk.String("00000000-0000-0000-0000-000000000000")}); err == nil || !strings.Contains(err.Error(), "NoSuchEntity") {
			t.Errorf("an unknown job: %v", err)
		}
		if _, err := c.GenerateServiceLastAccessedDetails(ctx, &iam.GenerateServiceLastAccessedDetailsInput{Arn: awssdk.String("arn:aws:s3:::a-bucket-of-mine")}); err == nil || !strings.Contains(err.Error(), "InvalidInput") {
			t.Errorf("no user: %v", err)
		}
	})
}

package jobs

import (
	_ "embed"
	"fmt"
	"net/netip"
	"strings"
)

// Job is one function.
type Job struct {
	Name  string // "account-administrator"
	Group string // of those who have it
	Title string
	What  string // a sentence on what those who have it do

	System   []string // system policies that the group gets
	Policies []Policy // custom policies that the group gets

	MFA      bool // people who have it must have a second factor to sign in
	Networks bool // the addresses that they may work from can be limited
	Program  bool // programs have it: no sign-in to the console, and a role besides accounts
}

// Policy is a custom policy.
type Policy struct {
	Name        string
	Description string
	text        string
}

// Document is the policy's text for those who may work from some networks only; none
// means from anywhere.
func (p *Policy) Document(networks []netip.Prefix) string {
	limit := ""
	if len(networks) > 0 {
		quoted := make([]string, len(networks))
		for i, n := range networks {
			quoted[i] = `"` + n.String() + `"`
		}
		limit = strings.TrimRight(fmt.Sprintf(networksText, strings.Join(quoted, ", ")), "\n")
	}
	return strings.Replace(p.text, "/*networks*/", limit, 1)
}

// TagKey is the key of the tag that users and roles of a job have; its value is the
// job's name. Statements that bind one job towards another test it.
const TagKey = "JobFunction"

// Names of the jobs.
const (
	AccountAdministrator  = "account-administrator"
	ResourceAdministrator = "resource-administrator"
	OMEngineer            = "om-engineer"
	Application           = "application"
)

var (
	//go:embed account-administrator.json
	accountText string
	//go:embed networks.json
	networksText string
	//go:embed om-engineer.json
	engineerText string
	//go:embed application.json
	applicationText string
	//go:embed application-trust.json
	trustText string
)

// All lists the jobs, those with most power first.
func All() []Job {
	return []Job{
		{
			Name: AccountAdministrator, Group: "AccountAdministrators", Title: "Account administrator",
			What:   "Makes users and roles and says what each may do, and touches nothing else. Works in the console with a second factor; access keys are of no use.",
			System: []string{"AliyunRAMFullAccess"},
			Policies: []Policy{{"AccountAdministratorGuard",
				"What account administrators must not do: work without a second factor, with access keys, or through a role", accountText}},
			MFA: true, Networks: true,
		},
		{
			Name: ResourceAdministrator, Group: "ResourceAdministrators", Title: "Resource administrator",
			What:   "Makes and manages instances, disks, images, networks and addresses, and gives roles to instances.",
			System: []string{"AliyunECSFullAccess", "AliyunVPCFullAccess", "AliyunEIPFullAccess", "AliyunSTSAssumeRoleAccess"},
		},
		{
			Name: OMEngineer, Group: "OMEngineers", Title: "O&M engineer",
			What:     "Looks at instances, signs in to them, and runs commands on them as an ordinary user. Changes no resource.",
			Policies: []Policy{{"OMEngineer", "Read instances and networks, use Workbench, run commands of Cloud Assistant but not as root or system", engineerText}},
		},
		{
			Name: Application, Group: "Applications", Title: "Application",
			What:     "A program with an account or, better, a role of its own. Never signs in to the console; has no permissions but those that you attach.",
			Policies: []Policy{{"ApplicationGuard", "Accounts of applications can do nothing in the console", applicationText}},
			Program:  true,
		},
	}
}

// Find returns the job of a name.
func Find(name string) (Job, bool) {
	for _, j := range All() {
		if j.Name == name {
			return j, true
		}
	}
	return Job{}, false
}

// ECS is the service whose instances assume an application's role.
const ECS = "ecs.aliyuncs.com"

// Trust is the trust policy of an application's role: of instances of ECS, or of a
// user, role or account that is named as the RAM language names it.
func Trust(principal string) string {
	kind := "RAM"
	if principal == "" {
		kind, principal = "Service", ECS
	}
	return fmt.Sprintf(trustText, fmt.Sprintf("%q: %q", kind, principal))
}

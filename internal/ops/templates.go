package ops

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/ram/jobs"
)

// A template makes what one function of people or programs in an account needs: a
// group with its policies, users in it, and for programs a role. What it makes is made
// by the operations that anybody would make it with, one after the other and all or
// none: each is asked about at policy and stands in the trail.

// Template is one of them, and who has it.
type Template struct {
	jobs.Job
	Applied bool // its group exists
	Members []iam.User
	Roles   []Entity // of programs
	More    bool     // there are more members or roles
}

// templateShown is how many members and roles a template lists.
const templateShown = 50

// ListTemplates lists the templates and who has which.
var ListTemplates = Op[struct{}, []Template]{
	Name:   "ListTemplates",
	Grants: Names{AWS: "warifu:ListTemplates", RAM: "ram:ListTemplates"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "template"}, nil },
	Do: func(env *Env, _ struct{}) (all []Template, err error) {
		for _, j := range jobs.All() {
			t := Template{Job: j}
			if err := env.holders(&t); err != nil {
				return nil, err
			}
			all = append(all, t)
		}
		return all, nil
	},
}

// holders finds out who has a template.
func (env *Env) holders(t *Template) error {
	a := env.Call.Caller.Account
	g, err := env.Tx.GroupByName(a, t.Group)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	t.Applied = true
	if t.Members, err = env.Tx.Members(a, g.ID, "", templateShown+1); err != nil {
		return err
	}
	if t.Program {
		p, err := env.Tx.PolicyByName(a, t.Policies[0].Name)
		if err == nil {
			t.Roles, err = env.Tx.EntitiesFor(a, p.ID, iam.KindRole, UsageAny, "", "", templateShown+1)
		}
		if err := ignoreMissing(err); err != nil {
			return err
		}
	}
	t.More = len(t.Members) > templateShown || len(t.Roles) > templateShown
	t.Members, t.Roles = t.Members[:min(len(t.Members), templateShown)], t.Roles[:min(len(t.Roles), templateShown)]
	return nil
}

// ApplyTemplateIn says what a template is applied to.
type ApplyTemplateIn struct {
	Template string         // jobs.Job.Name
	Users    []string       // who get it; those who do not exist are made
	Networks []netip.Prefix // from where they may work, where the template limits that; none = anywhere
	Role     string         // of a program; "" = none
	Trusted  string         // who may assume the role, as the RAM language names it; "" = instances of ECS

	fresh map[string]CreateLoginProfileIn // by user
}

// maxTemplateUsers bounds the users of one call: a password is hashed for each.
const maxTemplateUsers = 20

// AppliedTemplate is what was made.
type AppliedTemplate struct {
	Template string
	Group    string
	Policies []string // names of what the group has
	Users    []TemplateUser
	Role     *Role // nil if none was asked for
}

// TemplateUser is a user who got a template.
type TemplateUser struct {
	Name     string
	Made     bool
	Password seal.Secret // to sign in with for the first time; empty if the user had one, or gets none
}

// ApplyTemplate applies a template, again too: it adds what is missing and puts the
// policies' texts in force that the input asks for.
//
// Errors: Invalid, naming the field; Conflict with the noun "access key" for an account
// administrator who has one, and "login profile" for an application's account that can
// sign in; and those of the operations that it carries out.
var ApplyTemplate = Op[ApplyTemplateIn, *AppliedTemplate]{
	Name:   "ApplyTemplate",
	Grants: Names{AWS: "warifu:ApplyTemplate", RAM: "ram:ApplyTemplate"},
	Mode:   Write,
	Needs:  recently,
	Before: func(ctx context.Context, s *Server, call *Call, in ApplyTemplateIn) (ApplyTemplateIn, error) {
		return in, in.hash(ctx, s, call)
	},
	Target: func(_ *Env, in ApplyTemplateIn) (Target, error) {
		return Target{Noun: "template", Name: in.Template}, nil
	},
	Record: func(in ApplyTemplateIn) audit.Fields {
		return audit.Fields{"template": clipped(in.Template), "users": clipped(strings.Join(in.Users, " ")), "networks": clipped(networkList(in.Networks)), "roleName": clipped(in.Role)}
	},
	Do: func(env *Env, in ApplyTemplateIn) (*AppliedTemplate, error) {
		job, err := in.check()
		if err != nil {
			return nil, err
		}
		t := &templating{Env: *env, job: job, in: in, out: &AppliedTemplate{Template: job.Name, Group: job.Group}}
		t.Call.Source.Language = iam.LanguageRAM
		for _, step := range []func() error{t.policies, t.group, t.users, t.role} {
			if err := step(); err != nil {
				return nil, err
			}
		}
		return t.out, nil
	},
}

func networkList(all []netip.Prefix) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = n.String()
	}
	return strings.Join(texts, " ")
}

// check refuses what does not go together.
func (in *ApplyTemplateIn) check() (jobs.Job, error) {
	job, ok := jobs.Find(in.Template)
	switch {
	case !ok:
		return job, fault.Field("template", "there is no template %q: there are %s", in.Template, strings.Join(templateNames(), ", "))
	case len(in.Networks) > 0 && !job.Networks:
		return job, fault.Field("networks", "the template %s does not limit addresses", job.Name)
	case in.Role != "" && !job.Program:
		return job, fault.Field("role", "the template %s makes no role", job.Name)
	case in.Trusted != "" && in.Role == "":
		return job, fault.Field("trusted", "trusted goes with the name of a role")
	case in.Trusted != "" && !name.IsACS(in.Trusted):
		return job, fault.Field("trusted", "trusted names a user, a role or an account as the RAM language names it")
	case len(in.Users) > maxTemplateUsers:
		return job, fault.Field("users", "a template is applied to at most %d users at once", maxTemplateUsers)
	}
	sorted := slices.Sorted(slices.Values(in.Users))
	if len(slices.Compact(sorted)) < len(in.Users) {
		return job, fault.Field("users", "a user is named twice")
	}
	return job, nil
}

func templateNames() (all []string) {
	for _, j := range jobs.All() {
		all = append(all, j.Name)
	}
	return all
}

// hash draws the first passwords of people and hashes them.
func (in *ApplyTemplateIn) hash(ctx context.Context, s *Server, call *Call) error {
	job, err := in.check()
	if err != nil || job.Program {
		return err
	}
	in.fresh = make(map[string]CreateLoginProfileIn, len(in.Users))
	for _, user := range in.Users {
		text, err := name.Alphanumeric(s.rand, firstPasswordSize)
		if err != nil {
			return fault.Wrap(err, "draw a password")
		}
		text = append(text, firstPasswordEnd...)
		login := CreateLoginProfileIn{User: Ref{Name: user}, Password: seal.NewSecret(text), ResetRequired: true, MFARequired: job.MFA}
		if in.fresh[user], err = CreateLoginProfile.Before(ctx, s, call, login); err != nil {
			return err
		}
	}
	return nil
}

// A first password has 119 bits, and an end for policies that want every kind of
// character.
const (
	firstPasswordSize = 20
	firstPasswordEnd  = "-aA1"
)

// templating is a template that is being applied.
type templating struct {
	Env
	job jobs.Job
	in  ApplyTemplateIn
	out *AppliedTemplate

	arns []string // of the policies that the group gets
}

// policies makes the custom policies, or puts the texts in force that are asked for.
func (t *templating) policies() error {
	for _, s := range t.job.System {
		t.arns = append(t.arns, name.PolicyARN(name.AlibabaVendor, "/", s))
		t.out.Policies = append(t.out.Policies, s)
	}
	for i := range t.job.Policies {
		p := &t.job.Policies[i]
		text := p.Document(t.in.Networks)
		t.out.Policies = append(t.out.Policies, p.Name)
		old, err := t.Tx.PolicyByName(t.Call.Caller.Account, p.Name)
		switch {
		case fault.Is(err, fault.NotFound):
			made, err := within(&t.Env, &CreatePolicy, CreatePolicyIn{Name: p.Name, Description: p.Description, Document: text, Comments: true})
			if err != nil {
				return err
			}
			t.arns = append(t.arns, made.ARN())
			continue
		case err != nil:
			return err
		}
		t.arns = append(t.arns, old.ARN())
		if err := t.revise(old, text); err != nil {
			return err
		}
	}
	return nil
}

// revise puts another text of a policy in force, unless it is.
func (t *templating) revise(p *iam.Policy, text string) error {
	v, err := t.Tx.Version(p.Account, p.ID, p.Default)
	if err != nil || v.Document == text {
		return err
	}
	_, err = within(&t.Env, &CreateRAMPolicyVersion, CreateRAMVersionIn{
		CreateVersionIn: CreateVersionIn{Policy: p.ARN(), Document: text, Comments: true, Default: true}, Rotate: true,
	})
	return err
}

// group makes the group and gives it its policies.
func (t *templating) group() error {
	a := t.Call.Caller.Account
	g, err := t.Tx.GroupByName(a, t.job.Group)
	if fault.Is(err, fault.NotFound) {
		g, err = within(&t.Env, &CreateGroup, CreateGroupIn{Name: t.job.Group})
	}
	if err != nil {
		return err
	}
	held, err := t.Tx.AttachedTo(a, iam.KindGroup, g.ID, "", store.After{}, t.limits.AttachedPerGroup)
	if err != nil {
		return err
	}
	for _, arn := range t.arns {
		if slices.ContainsFunc(held, func(p iam.Policy) bool { return p.ARN() == arn }) {
			continue
		}
		if _, err := within(&t.Env, &AttachGroupPolicy, AttachIn{Holder: Ref{Name: t.job.Group}, Policy: arn}); err != nil {
			return err
		}
	}
	return nil
}

// tag is what those who have the job are known by.
func (t *templating) tag() []iam.Tag { return []iam.Tag{{Key: jobs.TagKey, Value: t.job.Name}} }

// users makes the users, or takes those that exist.
func (t *templating) users() error {
	for _, called := range t.in.Users {
		row := TemplateUser{Name: called}
		u, err := t.Tx.UserByName(t.Call.Caller.Account, called)
		if fault.Is(err, fault.NotFound) {
			row.Made = true
			var made *User
			if made, err = within(&t.Env, &CreateUser, CreateUserIn{Name: called, Tags: t.tag()}); err == nil {
				u = &made.User
			}
		} else if err == nil && !hasTags(u.Tags, t.tag()) {
			_, err = within(&t.Env, &TagUser, TagIn{Ref: Ref{ID: u.ID}, Tags: t.tag()})
		}
		if err != nil {
			return err
		}
		if _, err := within(&t.Env, &AddUserToGroup, MemberIn{Group: Ref{Name: t.job.Group}, User: Ref{ID: u.ID}}); err != nil {
			return err
		}
		if t.job.Program {
			err = t.keepOut(u)
		} else {
			row.Password, err = t.letIn(u)
		}
		if err != nil {
			return err
		}
		t.out.Users = append(t.out.Users, row)
	}
	return nil
}

func hasTags(have, want []iam.Tag) bool {
	return !slices.ContainsFunc(want, func(w iam.Tag) bool { return !slices.Contains(have, w) })
}

// keepOut makes sure that an application's account cannot sign in.
func (t *templating) keepOut(u *iam.User) error {
	_, err := t.Tx.LoginProfile(u.Account, u.ID)
	if err == nil {
		return &fault.Error{Kind: fault.Conflict, Noun: "login profile", Name: u.Name, What: "the account of an application has no password: take the password of " + u.Name + " away first"}
	}
	return ignoreMissing(err)
}

// letIn makes sure that somebody can sign in, with a second factor where the job asks
// for one, and that who works in the console alone has no keys.
func (t *templating) letIn(u *iam.User) (first seal.Secret, err error) {
	if t.job.Name == jobs.AccountAdministrator {
		n, err := t.Tx.KeyCount(u.Account, u.ID)
		if err == nil && n > 0 {
			err = &fault.Error{Kind: fault.Conflict, Noun: "access key", Name: u.Name, What: "an account administrator has no access keys: delete those of " + u.Name + " first"}
		}
		if err != nil {
			return first, err
		}
	}
	p, err := t.Tx.LoginProfile(u.Account, u.ID)
	switch {
	case fault.Is(err, fault.NotFound):
		login := t.in.fresh[u.Name]
		login.User = Ref{ID: u.ID}
		_, err = within(&t.Env, &CreateLoginProfile, login)
		return login.Password, err
	case err != nil || !t.job.MFA || p.MFARequired:
		return first, err
	}
	must := true
	_, err = within(&t.Env, &UpdateLoginProfile, UpdateLoginProfileIn{User: Ref{ID: u.ID}, MFARequired: &must})
	return first, err
}

// role makes a program's role, or says anew who may assume it.
func (t *templating) role() error {
	if t.in.Role == "" {
		return nil
	}
	a := t.Call.Caller.Account
	trust := jobs.Trust(t.in.Trusted)
	r, err := t.Tx.RoleByName(a, t.in.Role)
	switch {
	case fault.Is(err, fault.NotFound):
		t.out.Role, err = within(&t.Env, &CreateRole, CreateRoleIn{Name: t.in.Role, Trust: trust, Description: "Role of the application " + t.in.Role, Tags: t.tag(), Comments: true})
	case err == nil:
		if _, err = within(&t.Env, &UpdateAssumeRolePolicy, UpdateTrustIn{Role: Ref{ID: r.ID}, Trust: trust, Comments: true}); err == nil {
			t.out.Role, err = t.shown(r)
		}
	}
	if err != nil {
		return err
	}
	_, err = within(&t.Env, &AttachRolePolicy, AttachIn{Holder: Ref{Name: t.in.Role}, Policy: t.arns[len(t.arns)-1]})
	return err
}

// HostCall is a call by the root user of an account from the machine that the server
// runs on. It is for the host, not for any door: who reads the data folder owns the
// server anyway.
func (s *Server) HostCall(ctx context.Context, account name.Account) (call Call, err error) {
	call = Call{Caller: Caller{Account: account}, Source: Source{Door: "host"}, RequestID: s.newID(), At: s.now()}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		root, err := tx.RootUser(account)
		if err != nil {
			return err
		}
		c := &call.Caller
		c.Kind, c.User = policy.Root, *root
		c.revision, err = tx.Revision(account)
		return err
	})
	return call, err
}

package console

import (
	"net/netip"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/ops"
)

const jobsPath = "/console/jobs"

func jobRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: jobsPath, Who: SignedIn, Nav: "nav.jobs", Section: sectionManage, Icon: "group", do: jobsPage},
		{Method: "GET", Pattern: jobsPath + "/{name}", Who: SignedIn, Fresh: true, do: jobPage},
		{Method: "POST", Pattern: jobsPath + "/{name}", Who: SignedIn, do: applyJob},
	}
}

func jobsPage(rq *request) error {
	all, err := run(rq, ops.ListTemplates, struct{}{})
	if err != nil {
		return err
	}
	d := jobsData{All: all}
	pairs, err := run(rq, ops.CompareTemplates, struct{}{})
	if err != nil {
		return err
	}
	for _, p := range pairs {
		for _, u := range p.People {
			d.Twice = append(d.Twice, twice{u.Name, p.A, p.B})
		}
	}
	d.More = max(0, len(d.Twice)-rowsShown)
	d.Twice = d.Twice[:min(len(d.Twice), rowsShown)]
	return rq.page("admin/jobs", rq.t("nav.jobs"), d)
}

// jobsData are the job functions, and who has two of them.
type jobsData struct {
	All   []ops.Template
	Twice []twice
	More  int
}

// twice is somebody who has two job functions.
type twice struct{ Name, A, B string }

// jobApart is what separates a job function from another.
type jobApart struct {
	Other       string
	Here, There []string // actions of one only
	Both        []string
	People      []string
}

// apart is what separates a job function from each other one.
func (rq *request) apart(job string) (all []jobApart, err error) {
	pairs, err := run(rq, ops.CompareTemplates, struct{}{})
	for _, p := range pairs {
		a := jobApart{Other: p.B, Here: p.OnlyA, There: p.OnlyB, Both: p.Both}
		switch job {
		case p.A:
		case p.B:
			a.Other, a.Here, a.There = p.A, p.OnlyB, p.OnlyA
		default:
			continue
		}
		for _, u := range p.People {
			a.People = append(a.People, u.Name)
		}
		all = append(all, a)
	}
	return all, err
}

// jobData is a job function: who has it, and what applying it makes.
type jobData struct {
	ops.Template
	Texts []jobText
	Apart []jobApart
	Back  string
}

// jobText is a policy that comes with a job.
type jobText struct {
	Name  string
	Lines []line
}

func jobPage(rq *request) error {
	t, err := rq.job()
	if err != nil {
		return err
	}
	d := jobData{Template: *t, Back: jobsPath}
	for i := range t.Policies {
		p := &t.Policies[i]
		d.Texts = append(d.Texts, jobText{p.Name, linesOf(p.Document(nil))})
	}
	if d.Apart, err = rq.apart(t.Name); err != nil {
		return err
	}
	return rq.page("admin/job", rq.under("nav.jobs", jobsPath, rq.t("job."+t.Name)), d)
}

// job is the one in the page's address.
func (rq *request) job() (*ops.Template, error) {
	all, err := run(rq, ops.ListTemplates, struct{}{})
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Name == rq.path("name") {
			return &all[i], nil
		}
	}
	return nil, fault.Of(fault.NotFound, "page", "")
}

// applyJob applies a job and shows what there is now, first passwords this once.
func applyJob(rq *request) error {
	f := rq.form()
	in := ops.ApplyTemplateIn{
		Template: rq.path("name"), Users: words(f.Get("users")), Role: f.text("role"), Trusted: f.text("trusted"),
	}
	for _, text := range words(f.Get("networks")) {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			f.wrong("networks", "job.networks.wrong", "text", text)
			return f.again(nil, nil, func() error { return jobPage(rq) })
		}
		in.Networks = append(in.Networks, n.Masked())
	}
	made, err := run(rq, ops.ApplyTemplate, in)
	if err != nil {
		at := fields{
			"users": "users", "userName": "users", "user": "users", "access key": "users", "login profile": "users",
			"networks": "networks", "role": "role", "roleName": "role", "trusted": "trusted", "policy document": "trusted",
		}
		return f.again(err, at, func() error { return jobPage(rq) })
	}
	name := rq.t("job." + made.Template)
	return rq.page("admin/jobdone", rq.under("nav.jobs", jobsPath, rq.t("job.done.title"), Crumb{name, jobsPath + "/" + made.Template}), made)
}

// words are what spaces, commas and line ends separate.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;、，\t\r\n", r) })
}

package console

import (
	"strconv"
	"time"

	"warifu/internal/ops"
)

const alertsPath = auditPath + "/alerts"

func alertRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: alertsPath, Who: SignedIn, Nav: "nav.alerts", Section: sectionWatch, Icon: "bell", do: alertsPage},
		{Method: "POST", Pattern: alertsPath, Who: SignedIn, do: putAlert},
		{Method: "POST", Pattern: alertsPath + "/test", Who: SignedIn, do: testAlert},
		{Method: "POST", Pattern: alertsPath + "/delete", Who: SignedIn, do: deleteAlert},
	}
}

// alertsData is the page of alerts.
type alertsData struct {
	List    *ops.AlertList
	Queries []Option // the kept ones; an alert is of one of them
	Spans   []Option
}

// alertSpans are the windows to choose from, in minutes.
var alertSpans = []int{5, 10, 15, 30, 60, 180, 720, 1440}

func alertsPage(rq *request) error {
	list, err := run(rq, ops.ListAlerts, struct{}{})
	if err != nil {
		return err
	}
	kept, err := run(rq, ops.ListQueries, struct{}{})
	if err != nil {
		return err
	}
	d := alertsData{List: list}
	for _, q := range kept {
		d.Queries = append(d.Queries, Option{Value: q.Name, Label: q.Name})
	}
	for _, n := range alertSpans {
		d.Spans = append(d.Spans, Option{Value: strconv.Itoa(n), Label: rq.t("alerts.minutes", "n", n)})
	}
	f := rq.form()
	query := rq.query("query")
	if edited := rq.query("name"); edited != "" {
		for _, a := range list.Alerts {
			if a.Name == edited {
				query = a.Query
				f.fill("name", a.Name, "threshold", strconv.Itoa(a.Threshold), "span", strconv.Itoa(int(a.Span/time.Minute)), "mail", a.Mail)
			}
		}
	}
	f.fill("query", query, "span", "60", "threshold", "1")
	return rq.page("admin/alerts", rq.t("nav.alerts"), d)
}

func putAlert(rq *request) error {
	f := rq.form()
	number := func(field string) int {
		n, err := strconv.Atoi(f.text(field))
		if err != nil {
			return -1 // which no alert has
		}
		return n
	}
	in := ops.AlertIn{
		Name: f.text("name"), Query: f.Get("query"), Threshold: number("threshold"), Span: time.Duration(number("span")) * time.Minute,
		Mail: f.text("mail"), Webhook: f.text("webhook"),
	}
	if _, err := run(rq, ops.PutAlert, in); err != nil {
		at := fields{"name": "name", "threshold": "threshold", "span": "span", "mail": "mail", "webhook": "webhook", "query": "query", "userName": "mail", "*": "name"}
		return f.again(err, at, func() error { return alertsPage(rq) })
	}
	return rq.done(alertsPath, "flash.alert.saved", "name", in.Name)
}

func testAlert(rq *request) error {
	f := rq.form()
	if _, err := run(rq, ops.TestAlert, ops.AlertIn{Name: f.Get("name")}); err != nil {
		return err
	}
	return rq.done(alertsPath, "flash.alert.tested", "name", f.Get("name"))
}

func deleteAlert(rq *request) error {
	f := rq.form()
	if _, err := run(rq, ops.DeleteAlert, ops.AlertIn{Name: f.Get("name")}); err != nil {
		return err
	}
	return rq.done(alertsPath, "flash.alert.deleted", "name", f.Get("name"))
}

package console

// designPage shows every component of the design system. A test renders it; who
// writes a page looks things up there. It holds no data of anybody's.
func designPage(rq *request) error {
	f := &form{Values: map[string][]string{"wrong": {"no spaces please"}}, Errors: map[string]string{}, rq: rq}
	f.wrong("wrong", "form.required")
	f.First = "" // nothing here is to get the focus
	return rq.page("design", rq.t("design.title"), struct {
		Form  *form
		Icons []string
	}{f, iconNames()})
}

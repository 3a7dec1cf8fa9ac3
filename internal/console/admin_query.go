package console

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/ops"
)

const queryPath = auditPath + "/query"

func queryRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: queryPath, Who: SignedIn, Nav: "nav.query", Section: sectionWatch, Icon: "search", do: queryPage},
		{Method: "GET", Pattern: queryPath + "/export", Who: SignedIn, do: exportQuery},
		{Method: "POST", Pattern: queryPath + "/save", Who: SignedIn, do: saveQuery},
		{Method: "POST", Pattern: queryPath + "/delete", Who: SignedIn, do: deleteQuery},
		{Method: "GET", Pattern: auditPath + "/proof", Who: SignedIn, do: proofText},
	}
}

// queryData is the page of queries. All that it shows follows from its URL.
type queryData struct {
	Form    *form
	Ranges  []Option
	Library []queryLink
	Kept    []queryLink
	Columns string
	Result  *queryResult
	CSV     string // where the result is downloaded
	JSONL   string
}

// queryLink is a query of the library.
type queryLink struct {
	Name, Href string
	Current    bool
}

// queryResult is what a query found, as it is shown.
type queryResult struct {
	ops.QueryResult
	Cells  [][]queryCell
	Bars   []queryBar
	Most   int // events of the highest bar
	Millis int64
}

type queryCell struct {
	Text string
	Null bool
	Href string // of an event's own page
}

// queryBar is a bar of the histogram, in the drawing's units; its link narrows the
// time to the bar's.
type queryBar struct {
	X, Y, Height, RefusedY, Refused int
	Title, Href                     string
}

// The drawing's size, in its own units.
const (
	barWidth  = 10
	barHeight = 100
)

// asked is the query that the URL asks; run is false if it asks none.
func (rq *request) asked() (in ops.QueryTrailIn, run bool) {
	values := rq.r.URL.Query()
	in.Where, in.SQL = values.Get("where"), values.Get("sql")
	run = values.Has("where") || values.Has("sql")
	if key := values.Get("template"); key != "" {
		for _, t := range ops.QueryTemplates() {
			if t.Key == key {
				in.Where, in.SQL, run = t.Where, t.SQL, true
			}
		}
	}
	span := ranges[0].span
	for _, r := range ranges {
		if r.value == values.Get("range") {
			span = r.span
		}
	}
	in.To = rq.at.Add(time.Microsecond)
	in.From = rq.at.Add(-span).Truncate(time.Second)
	from, err1 := time.Parse(time.RFC3339Nano, values.Get("from"))
	to, err2 := time.Parse(time.RFC3339Nano, values.Get("to"))
	if err1 == nil && err2 == nil {
		in.From, in.To = from, to
	}
	return in, run
}

func queryPage(rq *request) error {
	f := rq.form()
	d := queryData{Form: f, Columns: strings.Join(ops.QueryColumns(), ", ")}
	kept, err := run(rq, ops.ListQueries, struct{}{})
	if err != nil {
		return err
	}
	in, asked := rq.asked()
	for _, k := range kept {
		link := queryLink{Name: k.Name, Href: queryPath + "?kept=" + url.QueryEscape(k.Name), Current: rq.query("kept") == k.Name}
		if link.Current && !asked {
			in.Where, in.SQL, asked = k.Where, k.SQL, true
		}
		d.Kept = append(d.Kept, link)
	}
	for _, t := range ops.QueryTemplates() {
		d.Library = append(d.Library, queryLink{Name: rq.t("query.is." + t.Key), Href: queryPath + "?template=" + t.Key, Current: rq.query("template") == t.Key})
	}
	for _, r := range ranges {
		d.Ranges = append(d.Ranges, Option{Value: r.value, Label: rq.t("audit.range." + r.value)})
	}
	f.fill("range", rq.query("range"), "where", in.Where, "sql", in.SQL, "from", rq.query("from"), "to", rq.query("to"), "name", rq.query("kept"))
	if asked {
		found, err := run(rq, ops.QueryTrail, in)
		if err != nil && !f.blameQuery(err) {
			return err
		}
		if err == nil {
			d.Result = rq.shownResult(found)
			link := rq.queryURL(queryPath+"/export", in)
			d.CSV, d.JSONL = link+"&format=csv", link+"&format=jsonl"
		}
	}
	return rq.page("admin/query", rq.t("nav.query"), d)
}

// blameQuery says what is wrong with a query in the words of the engine, which has
// no others.
func (f *form) blameQuery(err error) bool {
	e := fault.In(err)
	switch {
	case e.Kind == fault.Invalid && (e.Name == "where" || e.Name == "sql"):
		f.wrong(e.Name, "query.wrong", "what", e.What)
	case e.Kind == fault.Limit:
		f.Note = f.rq.t("query.stopped")
	default:
		return false
	}
	return true
}

// queryURL is a link that asks the same again, for the same time.
func (rq *request) queryURL(path string, in ops.QueryTrailIn) string {
	v := url.Values{"from": {in.From.UTC().Format(time.RFC3339Nano)}, "to": {in.To.UTC().Format(time.RFC3339Nano)}, "where": {in.Where}, "sql": {in.SQL}}
	return path + "?" + v.Encode()
}

// shownResult makes a result ready for its table and histogram.
func (rq *request) shownResult(found ops.QueryResult) *queryResult {
	r := &queryResult{QueryResult: found, Millis: found.Took.Milliseconds()}
	at, id := -1, -1
	for i, c := range found.Columns {
		switch c {
		case "time":
			at = i
		case "id":
			id = i
		}
	}
	for _, row := range found.Rows {
		cells := make([]queryCell, len(row))
		for i, c := range row {
			if c == nil {
				cells[i].Null = true
				continue
			}
			cells[i].Text = *c
		}
		if at >= 0 && id >= 0 && row[at] != nil && row[id] != nil {
			if moment, err := time.Parse(time.RFC3339Nano, *row[at]); err == nil {
				cells[id].Href = auditPath + "/event?at=" + strconv.FormatInt(moment.UnixMicro(), 10) + "&id=" + url.QueryEscape(*row[id])
			}
		}
		r.Cells = append(r.Cells, cells)
	}
	r.bars(rq)
	return r
}

func (r *queryResult) bars(rq *request) {
	for _, b := range r.Histogram {
		r.Most = max(r.Most, b.Count)
	}
	in, _ := rq.asked()
	for i, b := range r.Histogram {
		if b.Count == 0 {
			continue
		}
		height := max(b.Count*barHeight/r.Most, 1)
		refused := b.Refused * height / b.Count
		to := r.To
		if i+1 < len(r.Histogram) {
			to = r.Histogram[i+1].From
		}
		narrow := in
		narrow.From, narrow.To = b.From, to
		r.Bars = append(r.Bars, queryBar{
			X: i * barWidth, Y: barHeight - height, Height: height, RefusedY: barHeight - refused, Refused: refused,
			Title: rq.t("query.bar", "n", b.Count, "from", b.From.UTC().Format("2006-01-02 15:04:05"), "refused", b.Refused),
			Href:  rq.queryURL(queryPath, narrow),
		})
	}
}

// exportQuery sends a result as a file.
func exportQuery(rq *request) error {
	in, _ := rq.asked()
	in.Export = true
	found, err := run(rq, ops.QueryTrail, in)
	if err != nil {
		return err
	}
	h := rq.w.Header()
	if rq.query("format") == "jsonl" {
		h.Set("Content-Type", "application/jsonl")
		h.Set("Content-Disposition", `attachment; filename="trail.jsonl"`)
		return writeJSONL(rq.w, &found)
	}
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="trail.csv"`)
	return writeCSV(rq.w, &found)
}

// writeCSV writes a result as comma-separated values (RFC 4180).
func writeCSV(w io.Writer, r *ops.QueryResult) error {
	out := csv.NewWriter(w)
	line := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		line[i] = calm(c)
	}
	out.Write(line) //nolint:errcheck // Error tells of it
	for _, row := range r.Rows {
		for i, c := range row {
			line[i] = ""
			if c != nil {
				line[i] = calm(*c)
			}
		}
		out.Write(line) //nolint:errcheck // Error tells of it
	}
	out.Flush()
	return out.Error()
}

// calm keeps a spreadsheet from taking a text for a formula (security checklist
// K-5): what begins like one gets an apostrophe. Control characters, which could
// hide such a beginning, become spaces.
func calm(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
	switch start := strings.TrimLeft(s, " "); {
	case start == "":
		return s
	case strings.ContainsRune("=+-@＝＋－＠", []rune(start)[0]):
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return s // a number is none
		}
		return "'" + s
	}
	return s
}

// writeJSONL writes a result as one object per row and line, its columns in order.
func writeJSONL(w io.Writer, r *ops.QueryResult) error {
	var b []byte
	for _, row := range r.Rows {
		b = append(b[:0], '{')
		for i, c := range row {
			if i > 0 {
				b = append(b, ',')
			}
			name, err := json.Marshal(r.Columns[i])
			if err != nil {
				return fault.Wrap(err, "spell a column")
			}
			value, err := json.Marshal(c)
			if err != nil {
				return fault.Wrap(err, "spell a value")
			}
			b = append(append(append(b, name...), ':'), value...)
		}
		if _, err := w.Write(append(b, '}', '\n')); err != nil {
			return nil //nolint:nilerr // the browser has gone
		}
	}
	return nil
}

func saveQuery(rq *request) error {
	f := rq.form()
	_, err := run(rq, ops.SaveQuery, ops.KeptQueryIn{Name: f.text("name"), Where: f.Get("where"), SQL: f.Get("sql")})
	if err != nil {
		if f.blameQuery(err) {
			err = nil
		}
		return f.again(err, fields{"name": "name", "*": "name"}, func() error { return queryPage(rq) })
	}
	return rq.done(queryPath+"?kept="+url.QueryEscape(f.text("name")), "flash.query.saved", "name", f.text("name"))
}

func deleteQuery(rq *request) error {
	f := rq.form()
	if _, err := run(rq, ops.DeleteQuery, f.Get("name")); err != nil {
		return f.again(err, fields{"*": "name"}, func() error { return queryPage(rq) })
	}
	return rq.done(queryPath, "flash.query.deleted", "name", f.Get("name"))
}

// proofData is the proof of an event, as its page shows it.
type proofData struct {
	Is    ops.EventProof
	Facts []Pair
	Href  string
}

// proof proves the event of a page, for whoever may look events up.
func (rq *request) proof(e *audit.Event) (d proofData, err error) {
	if d.Is, err = run(rq, ops.ProveEvent, ops.ProveEventIn{At: e.At, ID: e.ID}); err != nil {
		return d, err
	}
	if !d.Is.Sealed {
		return d, nil
	}
	d.Href = auditPath + "/proof?at=" + strconv.FormatInt(e.At.UnixMicro(), 10) + "&id=" + url.QueryEscape(e.ID)
	d.Facts = []Pair{
		{rq.t("proof.leaf"), rq.t("proof.leaf.of", "leaf", strconv.FormatInt(d.Is.Leaf, 10), "size", strconv.FormatInt(d.Is.Checkpoint.Size, 10))},
		{rq.t("proof.root"), d.Is.Checkpoint.Root.String()},
		{rq.t("proof.at"), d.Is.Checkpoint.At.UTC().Format(time.RFC3339)},
		{rq.t("proof.key"), d.Is.Key},
	}
	return d, nil
}

// proofText sends the proof of an event, or with part=event its bytes, as a file.
func proofText(rq *request) error {
	at, err := strconv.ParseInt(rq.query("at"), 10, 64)
	if err != nil {
		return errNobody
	}
	p, err := run(rq, ops.ProveEvent, ops.ProveEventIn{At: time.UnixMicro(at), ID: rq.query("id")})
	if err != nil {
		return err
	}
	name, text := "event.tlog-proof", p.Text
	if rq.query("part") == "event" {
		name, text = "event.json", p.Body
	}
	if text == "" {
		return errNobody
	}
	rq.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rq.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = io.WriteString(rq.w, text) // the browser may have gone
	return nil
}

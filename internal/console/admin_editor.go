package console

import (
	"strings"
	"unicode/utf8"

	"warifu/internal/ops"
)

// template2012 is what a new policy begins with.
const template2012 = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "ec2:Describe*"
      ],
      "Resource": "*"
    }
  ]
}
`

// line is a line of a text.
type line struct {
	N    int
	Text string
	Mark string // added, removed; same stands for N lines that are left out
}

// linesOf are the lines of a text, numbered.
func linesOf(text string) (lines []line) {
	for i, s := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		lines = append(lines, line{N: i + 1, Text: strings.TrimRight(s, "\r")})
	}
	return lines
}

// editor is a policy's text in a form, and what is to be said of it.
type editor struct {
	Form        *form
	Name        string
	Label, Hint string
	Rows        int
	Size, Quota int
	Checked     bool
	At          int // line of the fault; 0 = none
	Before      int // characters before it in that line
	Remarks     []remark
}

// remark is a finding in words.
type remark struct {
	Line, Column int
	Text         string
}

// readable is a text as it is shown: one that was saved on a single line, as
// programs do, is broken into lines. It says whether it was.
func (rq *request) readable(kind ops.TextKind, text string) (string, bool, error) {
	if strings.Contains(strings.TrimSpace(text), "\n") {
		return text, false, nil
	}
	check, err := load(rq, ops.CheckPolicy, ops.CheckIn{Kind: kind, Document: text})
	if err != nil || !check.Has || check.Is.Formatted == "" {
		return text, false, err
	}
	return check.Is.Formatted, true, nil
}

// editor checks the text in a field of the form. Whoever may not have it checked
// can save it all the same.
func (rq *request) editor(kind ops.TextKind, field string) (editor, error) {
	f := rq.form()
	text := unixLines(f.Get(field))
	if rq.r.Method != "POST" {
		var err error
		if text, _, err = rq.readable(kind, text); err != nil {
			return editor{}, err
		}
	}
	f.Set(field, text)
	e := editor{Form: f, Name: field, Label: rq.t("editor.label"), Hint: rq.t("editor.hint"), Rows: max(16, min(40, strings.Count(text, "\n")+3))}
	check, err := load(rq, ops.CheckPolicy, ops.CheckIn{Kind: kind, Document: text})
	if err != nil || !check.Has {
		return e, err
	}
	c := check.Is
	e.Size, e.Quota, e.Checked = c.Size, c.Quota, rq.r.Method == "POST"
	if c.Fault != nil {
		e.At, e.Before = c.Fault.Line, inCharacters(text, c.Fault.Line, c.Fault.Column)-1
		f.mark(field, rq.faultInText(text, c))
	}
	e.Remarks = rq.remarks(text, c)
	return e, nil
}

// inCharacters is a column of a line, which the languages count in bytes, as
// people count it.
func inCharacters(text string, n, column int) int {
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) || column < 1 {
		return column
	}
	return utf8.RuneCountInString(lines[n-1][:min(column-1, len(lines[n-1]))]) + 1
}

// faultInText says where a text is wrong and what may stand there.
func (rq *request) faultInText(text string, c *ops.Check) string {
	x := c.Fault
	if x.TooLong {
		return rq.t("editor.long", "size", c.Size, "quota", c.Quota)
	}
	return rq.t("editor.fault", "line", x.Line, "column", inCharacters(text, x.Line, x.Column), "found", rq.lang.inWords(x.Found), "want", rq.lang.inWords(x.Want))
}

// remarks are the findings in the language. English has the linter's own
// sentence, which names what it found.
func (rq *request) remarks(text string, c *ops.Check) (all []remark) {
	for _, f := range c.Findings {
		r := remark{f.Line, inCharacters(text, f.Line, f.Column), f.Message}
		if key := "finding." + f.Code; rq.lang.code != "en" && rq.lang.has(key) {
			r.Text = rq.t(key)
		} else {
			r.Text = sentenceCase(r.Text)
		}
		all = append(all, r)
	}
	return all
}

// maxCompared bounds the pairs of lines that are compared: a policy may have as
// many empty lines as it likes, and comparing takes memory for each pair.
const maxCompared = 1 << 20

// difference is what must be taken from one text and added to make another: a
// longest common subsequence of their lines, of what lies between the lines that
// they begin and end with alike. Where that is too much, all of it is replaced.
func difference(from, to string) (out []line) {
	a, b := linesOf(from), linesOf(to)
	head := 0
	for head < len(a) && head < len(b) && a[head].Text == b[head].Text {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail].Text == b[len(b)-1-tail].Text {
		tail++
	}
	out = append(out, b[:head]...)
	out = append(out, between(a[head:len(a)-tail], b[head:len(b)-tail])...)
	return append(out, b[len(b)-tail:]...)
}

func between(a, b []line) (out []line) {
	marked := func(l line, mark string) line { l.Mark = mark; return l }
	if len(a)*len(b) > maxCompared {
		for _, l := range a {
			out = append(out, marked(l, "removed"))
		}
		for _, l := range b {
			out = append(out, marked(l, "added"))
		}
		return out
	}
	common := make([][]int32, len(a)+1) // of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i].Text == b[j].Text {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i].Text == b[j].Text:
			out = append(out, b[j])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, marked(a[i], "removed"))
			i++
		default:
			out = append(out, marked(b[j], "added"))
			j++
		}
	}
	return out
}

// around is how many unchanged lines a difference shows before and after what
// changed.
const around = 3

// folded is a difference without the lines that are far from any change: in
// their place stands how many they are. It has at most linesShown lines; more
// says how many it lacks.
func folded(all []line) (out []line, more int) {
	near := make([]bool, len(all))
	for i, l := range all {
		if l.Mark == "" {
			continue
		}
		for k := max(0, i-around); k <= min(len(all)-1, i+around); k++ {
			near[k] = true
		}
	}
	for i := 0; i < len(all); i++ {
		if near[i] {
			out = append(out, all[i])
			continue
		}
		from := i
		for i+1 < len(all) && !near[i+1] {
			i++
		}
		out = append(out, line{N: i + 1 - from, Mark: "same"})
	}
	if len(out) > linesShown {
		out, more = out[:linesShown], len(out)-linesShown
	}
	return out, more
}

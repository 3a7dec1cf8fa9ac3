package console

import (
	"strings"

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
	Mark string // same, added, removed
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
		e.At = c.Fault.Line
		f.mark(field, rq.faultInText(c))
	}
	e.Remarks = rq.remarks(c)
	return e, nil
}

// faultInText says where a text is wrong and what may stand there.
func (rq *request) faultInText(c *ops.Check) string {
	x := c.Fault
	if x.TooLong {
		return rq.t("editor.long", "size", c.Size, "quota", c.Quota)
	}
	return rq.t("editor.fault", "line", x.Line, "column", x.Column, "found", rq.lang.inWords(x.Found), "want", rq.lang.inWords(x.Want))
}

// remarks are the findings in the language. English has the linter's own
// sentence, which names what it found.
func (rq *request) remarks(c *ops.Check) (all []remark) {
	for _, f := range c.Findings {
		r := remark{f.Line, f.Column, f.Message}
		if key := "finding." + f.Code; rq.lang.code != "en" && rq.lang.has(key) {
			r.Text = rq.t(key)
		} else {
			r.Text = sentenceCase(r.Text)
		}
		all = append(all, r)
	}
	return all
}

// difference is what must be taken from one text and added to make another: a
// longest common subsequence of their lines.
func difference(from, to string) (out []line) {
	a, b := linesOf(from), linesOf(to)
	common := make([][]int, len(a)+1) // of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
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
			out = append(out, line{b[j].N, b[j].Text, ""})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, line{a[i].N, a[i].Text, "removed"})
			i++
		default:
			out = append(out, line{b[j].N, b[j].Text, "added"})
			j++
		}
	}
	return out
}

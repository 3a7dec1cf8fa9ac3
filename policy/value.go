package policy

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseNumber reads a decimal number: digits with an optional sign, fraction and
// exponent. Infinities and not-a-number are not numbers here.
func ParseNumber(s string) (Number, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return Number{Int: n, Integer: true}, true
	}
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return Number{}, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return Number{}, false
	}
	return Number{Float: f}, true
}

func (n Number) float() float64 {
	if n.Integer {
		return float64(n.Int)
	}
	return n.Float
}

func (n Number) compare(m Number) (int, bool) {
	if n.Integer && m.Integer {
		return cmp.Compare(n.Int, m.Int), true
	}
	a, b := n.float(), m.float()
	return cmp.Compare(a, b), a == a && b == b
}

// seconds is the instant of a count of seconds, saturated.
func seconds(n int64) Instant {
	const most = math.MaxInt64 / 1_000_000
	switch {
	case n > most:
		return math.MaxInt64
	case n < -most:
		return math.MinInt64
	}
	return Instant(n * 1_000_000)
}

// ParseInstant reads a date: ISO 8601 with as few parts as a year, one or two digits
// each, an optional time after "T" and an optional offset (UTC without one); or the
// whole seconds since 1970. Four digits alone are a year.
func ParseInstant(s string) (Instant, bool) {
	if len(s) != 4 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return seconds(n), true
		}
	}
	d := dateReader{rest: s, month: 1, day: 1, ok: true}
	d.date()
	if d.accept("Tt") {
		d.clock()
		d.zone()
	}
	if !d.ok || d.rest != "" {
		return 0, false
	}
	return d.instant(), true
}

type dateReader struct {
	rest                                string
	year, month, day, hour, minute, sec int
	nano, offset                        int
	ok                                  bool
}

// accept eats one character of the set.
func (d *dateReader) accept(set string) bool {
	if d.rest == "" || strings.IndexByte(set, d.rest[0]) < 0 {
		return false
	}
	d.rest = d.rest[1:]
	return true
}

// number eats least to most digits whose value lies between low and high.
func (d *dateReader) number(least, most, low, high int) int {
	n, digits := 0, 0
	for digits < most && d.rest != "" && d.rest[0] >= '0' && d.rest[0] <= '9' {
		n = n*10 + int(d.rest[0]-'0')
		d.rest = d.rest[1:]
		digits++
	}
	d.ok = d.ok && digits >= least && n >= low && n <= high
	return n
}

func (d *dateReader) date() {
	sign := 1
	if d.accept("-") {
		sign = -1
	}
	d.year = sign * d.number(1, 9, 0, math.MaxInt32)
	if !d.accept("-") {
		return
	}
	d.month = d.number(1, 2, 1, 12)
	if d.accept("-") {
		last := time.Date(d.year, time.Month(d.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
		d.day = d.number(1, 2, 1, last)
	}
}

func (d *dateReader) clock() {
	if d.rest == "" || strings.IndexByte("Zz+-", d.rest[0]) >= 0 {
		return
	}
	d.hour = d.number(1, 2, 0, 23)
	if !d.accept(":") {
		return
	}
	d.minute = d.number(1, 2, 0, 59)
	if !d.accept(":") {
		return
	}
	d.sec = d.number(1, 2, 0, 59)
	if d.accept(".,") {
		before := len(d.rest)
		d.nano = d.number(1, 9, 0, 999_999_999)
		for i := before - len(d.rest); i < 9; i++ {
			d.nano *= 10
		}
	}
}

func (d *dateReader) zone() {
	sign := 1
	switch {
	case d.rest == "" || d.accept("Zz"):
		return
	case d.accept("-"):
		sign = -1
	case !d.accept("+"):
		d.ok = false
		return
	}
	d.offset = 3600 * d.number(2, 2, 0, 23)
	if d.accept(":") || d.rest != "" {
		d.offset += 60 * d.number(2, 2, 0, 59)
	}
	d.offset *= sign
}

func (d *dateReader) instant() Instant {
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.sec, d.nano, time.UTC)
	switch { // what 64 bits of microseconds hold, with a margin for the offset
	case d.year > 290_000:
		return math.MaxInt64
	case d.year < -290_000:
		return math.MinInt64
	}
	return Time(t) - Instant(d.offset)*1_000_000
}

package oath

import (
	"encoding/base32"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"warifu/internal/factor/totp"
	"warifu/internal/fault"
	"warifu/internal/iam"
)

// columns are what vendors and servers call a column in its first line, in small
// letters and without spaces, hyphens or underscores.
var columns = map[string]string{
	"serial": "serial", "serialnumber": "serial", "serialno": "serial", "sn": "serial", "tokenserial": "serial",
	"secret": "secret", "secretkey": "secret", "seed": "secret", "key": "secret", "otpkey": "secret", "sharedsecret": "secret",
	"secrethex": "secret", "seedhex": "secret", "secretbase32": "secret", "seedbase32": "secret",
	"type": "type", "tokentype": "type", "otptype": "type",
	"algorithm": "algorithm", "hash": "algorithm", "hashlib": "algorithm", "hashalgorithm": "algorithm",
	"digits": "digits", "otplen": "digits", "otplength": "digits", "length": "digits",
	"period": "period", "timestep": "period", "timeinterval": "period", "interval": "period", "step": "period",
	"counter":      "counter",
	"manufacturer": "maker", "maker": "maker", "vendor": "maker", "model": "model",
}

// bare is the order of columns in a file without a first line that names them:
// serial, seed, type, digits, and period or counter.
var bare = []string{"serial", "secret", "type", "digits", "moving"}

// parseCSV reads a file whose values stand between commas, semicolons or tabs.
func parseCSV(text string) ([]Token, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.FieldsPerRecord = '#', -1
	first, _, _ := strings.Cut(text, "\n")
	for _, c := range ";\t" {
		if strings.Count(first, string(c)) > strings.Count(first, ",") {
			r.Comma = c
		}
	}
	var rows [][]string
	var lines []int
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bad("record "+strconv.Itoa(len(rows)+1), "it is no CSV")
		}
		line, _ := r.FieldPos(0)
		if len(rows) > MaxTokens {
			return nil, fault.Field("file", "the file must hold at most %d tokens", MaxTokens)
		}
		rows, lines = append(rows, row), append(lines, line)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	names := header(rows[0])
	if names != nil {
		rows, lines = rows[1:], lines[1:]
	} else {
		names = bare
	}
	decode := seedDecoder(rows, names)
	all := make([]Token, 0, len(rows))
	for i, row := range rows {
		t, err := tokenOf(row, names, decode, "line "+strconv.Itoa(lines[i]))
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// header reads the first line, nil if it names no serial and no seed.
func header(row []string) []string {
	names := make([]string, len(row))
	serial, secret := false, false
	for i, cell := range row {
		names[i] = columns[strings.NewReplacer(" ", "", "-", "", "_", "", "(", "", ")", "").Replace(strings.ToLower(strings.TrimSpace(cell)))]
		serial, secret = serial || names[i] == "serial", secret || names[i] == "secret"
	}
	if !serial || !secret {
		return nil
	}
	return names
}

// seedDecoder tells how the seeds of a file are written: in hex if all of them
// could be, in base32 otherwise. One alone may look like both.
func seedDecoder(rows [][]string, names []string) func(string) ([]byte, error) {
	for _, row := range rows {
		for i, cell := range row {
			if i < len(names) && names[i] == "secret" && !isHex(compact(cell)) {
				return func(s string) ([]byte, error) {
					return base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(strings.ToUpper(s), "="))
				}
			}
		}
	}
	return hex.DecodeString
}

func isHex(s string) bool {
	return len(s)%2 == 0 && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

func compact(s string) string { return strings.NewReplacer(" ", "", "-", "", ":", "").Replace(s) }

func tokenOf(row, names []string, decode func(string) ([]byte, error), at string) (t Token, err error) {
	t = Token{Kind: iam.FactorTOTP, Params: totp.Params{Digits: 6, Period: 30 * time.Second}}
	period, counter, moving := "", "", ""
	for i, cell := range row {
		cell = strings.TrimSpace(cell)
		if i >= len(names) || cell == "" {
			continue
		}
		switch names[i] {
		case "serial":
			t.Serial = cell
		case "secret":
			if t.Seed, err = decode(compact(cell)); err != nil {
				return t, bad(at, "the seed must be written in hex or base32")
			}
		case "type":
			t.Kind = kindOf(cell)
		case "algorithm":
			if t.Params.Algorithm, err = algorithmOf(cell); err != nil {
				return t, bad(at, "the algorithm must be SHA1, SHA256 or SHA512")
			}
		case "digits":
			if t.Params.Digits, err = strconv.Atoi(cell); err != nil {
				return t, bad(at, "the number of digits must be 6 or 8")
			}
		case "period":
			period = cell
		case "counter":
			counter = cell
		case "moving":
			moving = cell
		case "maker":
			t.Maker = clip(cell)
		case "model":
			t.Model = clip(cell)
		}
	}
	if moving != "" && t.Kind == iam.FactorHOTP {
		counter = moving
	} else if moving != "" {
		period = moving
	}
	if period != "" && t.Kind == iam.FactorTOTP {
		n, err := strconv.Atoi(strings.TrimSuffix(period, "s"))
		if err != nil || n != 30 && n != 60 {
			return t, bad(at, "the period must be 30 or 60 seconds")
		}
		t.Params.Period = time.Duration(n) * time.Second
	}
	if counter != "" && t.Kind == iam.FactorHOTP {
		if t.Counter, err = strconv.ParseInt(counter, 10, 64); err != nil {
			return t, bad(at, "the counter must be a number")
		}
	}
	return t, t.check(at)
}

// kindOf reads TOTP or HOTP, as event or time based, too; "" for anything else.
func kindOf(s string) iam.FactorKind {
	switch strings.ToLower(s) {
	case "totp", "time", "oath-totp":
		return iam.FactorTOTP
	case "hotp", "event", "oath-hotp", "hmac":
		return iam.FactorHOTP
	}
	return ""
}

// algorithmOf reads the name of a hash as files spell it: sha256, HMAC-SHA-256.
func algorithmOf(s string) (totp.Algorithm, error) {
	return totp.ParseAlgorithm(strings.TrimPrefix(strings.NewReplacer("-", "", "_", "").Replace(strings.ToUpper(s)), "HMAC"))
}

// clip bounds what is only shown.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return -1
		}
		return r
	}, s)
	r := []rune(s)
	return string(r[:min(len(r), 64)])
}

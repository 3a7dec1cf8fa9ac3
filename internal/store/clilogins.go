package store

import (
	"strings"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

const cliColumns = `id, account, user_id, session, client, redirect, challenge, code, code_ends, key, mfa_at, mfa_methods,
	remembered, created, expires, refreshed, generation, source, agent`

func scanCLILogin(r row, l *iam.CLILogin) error {
	var methods string
	err := r.Scan((*int64)(&l.ID), (*int64)(&l.Account), (*int64)(&l.User), (*int64)(&l.Session), &l.Client, &l.Redirect, &l.Challenge,
		&l.Code, stamp{&l.CodeEnds}, &l.Key, stamp{&l.MFAAt}, &methods, &l.Remembered, stamp{&l.Created}, stamp{&l.Expires},
		stamp{&l.Refreshed}, &l.Generation, &l.Source, &l.UserAgent)
	l.MFAMethods = strings.Fields(methods)
	return err
}

// InsertCLILogin keeps a command line's sign-in, whose code is yet to be used.
func (tx *Tx) InsertCLILogin(l *iam.CLILogin) error {
	if err := tx.owns(l.Account, iam.KindUser, l.User); err != nil {
		return err
	}
	return tx.insert("command line", l.ID.String(), `INSERT INTO cli_logins (`+cliColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ON CONFLICT DO NOTHING`,
		int64(l.ID), int64(l.Account), int64(l.User), int64(l.Session), l.Client, l.Redirect, l.Challenge, l.Code,
		micros(l.CodeEnds), l.Key, micros(l.MFAAt), strings.Join(l.MFAMethods, " "), l.Remembered, micros(l.Created),
		micros(l.Expires), micros(l.Refreshed), l.Generation, l.Source, l.UserAgent)
}

// CLILoginByCode returns the sign-in that began with a code, used or not.
func (tx *Tx) CLILoginByCode(code []byte) (*iam.CLILogin, error) {
	return get(tx, scanCLILogin, "command line", "", `SELECT `+cliColumns+` FROM cli_logins WHERE code = $1`, code)
}

// CLILogin returns a sign-in that has not run out.
func (tx *Tx) CLILogin(id name.ID, now time.Time) (*iam.CLILogin, error) {
	return get(tx, scanCLILogin, "command line", id.String(),
		`SELECT `+cliColumns+` FROM cli_logins WHERE id = $1 AND expires > $2`, int64(id), micros(now))
}

// UseCLICode uses up the code of a sign-in and binds it to a key, and to the program
// that has it: the browser only carried the code there. Of any number
// of attempts at once one gets true.
func (tx *Tx) UseCLICode(id name.ID, key, source, agent string, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE cli_logins SET generation = 1, key = $2, refreshed = $3, source = $4, agent = $5
		WHERE id = $1 AND generation = 0 AND code_ends > $3 AND expires > $3`, int64(id), key, micros(at), source, agent)
	return n == 1, err
}

// RenewCLILogin raises the generation of a refresh token and reports whether it
// was the one given: of any number of attempts at once one raises it.
func (tx *Tx) RenewCLILogin(id name.ID, generation int64, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE cli_logins SET generation = generation + 1, refreshed = $3
		WHERE id = $1 AND generation = $2 AND generation > 0 AND expires > $3`, int64(id), generation, micros(at))
	return n == 1, err
}

// CLILogins lists a user's command lines whose code was used, newest first.
func (tx *Tx) CLILogins(a name.Account, user name.ID, now time.Time, limit int) ([]iam.CLILogin, error) {
	return list(tx, scanCLILogin, `SELECT `+cliColumns+` FROM cli_logins
		WHERE user_id = $1 AND account = $2 AND generation > 0 AND expires > $3 ORDER BY created DESC, id DESC LIMIT $4`,
		int64(user), int64(a), micros(now), limit)
}

// DeleteCLILogin ends a user's command line.
func (tx *Tx) DeleteCLILogin(a name.Account, user, id name.ID) error {
	return tx.change("command line", id.String(), `DELETE FROM cli_logins WHERE id = $1 AND user_id = $2 AND account = $3`,
		int64(id), int64(user), int64(a))
}

// PurgeCLILogins forgets command lines that have run out, and those whose code
// nobody used, as many as limit, and returns how many.
func (tx *Tx) PurgeCLILogins(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM cli_logins WHERE id IN
		(SELECT id FROM cli_logins WHERE expires <= $1 OR generation = 0 AND code_ends <= $1 LIMIT $2)`, micros(now), limit)
	return int(n), err
}

const deviceColumns = `hash, user_code, client, key, source, agent, created, expires, polled, answer`

func scanDevice(r row, d *iam.DeviceRequest) error {
	return r.Scan(&d.Hash, &d.UserCode, &d.Client, &d.Key, &d.Source, &d.UserAgent, stamp{&d.Created}, stamp{&d.Expires},
		stamp{&d.Polled}, (*string)(&d.Answer))
}

// InsertDeviceRequest keeps a command line that waits. Exists when its user code
// is another's.
func (tx *Tx) InsertDeviceRequest(d *iam.DeviceRequest) error {
	return tx.insert("device request", "", `INSERT INTO device_requests (`+deviceColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		d.Hash, d.UserCode, d.Client, d.Key, d.Source, d.UserAgent, micros(d.Created), micros(d.Expires), micros(d.Polled), string(d.Answer))
}

// DeviceRequest returns what waits with a device code.
func (tx *Tx) DeviceRequest(hash []byte, now time.Time) (*iam.DeviceRequest, error) {
	return get(tx, scanDevice, "device request", "",
		`SELECT `+deviceColumns+` FROM device_requests WHERE hash = $1 AND expires > $2`, hash, micros(now))
}

// DeviceRequestOf returns what waits with a user code and was not answered.
func (tx *Tx) DeviceRequestOf(userCode string, now time.Time) (*iam.DeviceRequest, error) {
	return get(tx, scanDevice, "device request", "",
		`SELECT `+deviceColumns+` FROM device_requests WHERE user_code = $1 AND expires > $2 AND answer = ''`, userCode, micros(now))
}

// AnswerDeviceRequest answers what waits, once: of any number of answers at once
// one counts. NotFound when it was answered or has run out.
func (tx *Tx) AnswerDeviceRequest(hash []byte, answer iam.DeviceAnswer, now time.Time) error {
	return tx.change("device request", "", `UPDATE device_requests SET answer = $2 WHERE hash = $1 AND answer = '' AND expires > $3`,
		hash, string(answer), micros(now))
}

// PollDeviceRequest notes that a command line asked, and reports whether it
// waited long enough since it last did.
func (tx *Tx) PollDeviceRequest(hash []byte, interval time.Duration, now time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE device_requests SET polled = $2 WHERE hash = $1 AND polled <= $3`, hash, micros(now), micros(now.Add(-interval)))
	return n == 1, err
}

// WaitingDevice is what waits for an answer, as far as others want its room.
type WaitingDevice struct {
	Hash   []byte
	Source string
}

// WaitingDevices lists what was not answered, newest first, limit at most.
func (tx *Tx) WaitingDevices(now time.Time, limit int) ([]WaitingDevice, error) {
	return list(tx, func(r row, d *WaitingDevice) error { return r.Scan(&d.Hash, &d.Source) },
		`SELECT hash, source FROM device_requests WHERE expires > $1 AND answer = '' ORDER BY created DESC, hash LIMIT $2`, micros(now), limit)
}

// DropDeviceRequest forgets what waits. NotFound when it was answered meanwhile.
func (tx *Tx) DropDeviceRequest(hash []byte) error {
	return tx.change("device request", "", `DELETE FROM device_requests WHERE hash = $1 AND answer = ''`, hash)
}

// PurgeDeviceRequests forgets what waited too long, as many as limit, and returns
// how many.
func (tx *Tx) PurgeDeviceRequests(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM device_requests WHERE hash IN (SELECT hash FROM device_requests WHERE expires <= $1 LIMIT $2)`, micros(now), limit)
	return int(n), err
}

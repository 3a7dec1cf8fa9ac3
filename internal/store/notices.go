package store

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// noticesKept is how many notices a user has at most; the oldest go.
const noticesKept = 100

const noticeColumns = `id, account, user_id, kind, at, subject, by_name, source, seen`

func scanNotice(r row, n *iam.Notice) error {
	return r.Scan((*int64)(&n.ID), (*int64)(&n.Account), (*int64)(&n.User), (*string)(&n.Kind), stamp{&n.At},
		&n.Subject, &n.By, &n.Source, stamp{&n.Seen})
}

// InsertNotice keeps a notice and forgets the user's oldest.
func (tx *Tx) InsertNotice(n *iam.Notice) error {
	if err := tx.owns(n.Account, iam.KindUser, n.User); err != nil {
		return err
	}
	err := tx.insert("notice", n.ID.String(), `INSERT INTO notices (`+noticeColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		int64(n.ID), int64(n.Account), int64(n.User), string(n.Kind), micros(n.At), n.Subject, n.By, n.Source, micros(n.Seen))
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM notices WHERE id IN
		(SELECT id FROM notices WHERE user_id = $1 ORDER BY at DESC, id DESC LIMIT 100 OFFSET $2)`, int64(n.User), noticesKept)
	return err
}

// NoticeAfter is a place in a list of notices: the last one of the page before.
// Its zero value is the newest.
type NoticeAfter struct {
	At time.Time
	ID name.ID
}

// Notices lists a user's notices, newest first.
func (tx *Tx) Notices(a name.Account, user name.ID, after NoticeAfter, limit int) ([]iam.Notice, error) {
	query := `SELECT ` + noticeColumns + ` FROM notices WHERE user_id = $1 AND account = $2`
	args := []any{int64(user), int64(a), limit}
	if after.ID != 0 {
		query += ` AND (at, id) < ($4, $5)`
		args = append(args, micros(after.At), int64(after.ID))
	}
	return list(tx, scanNotice, query+` ORDER BY at DESC, id DESC LIMIT $3`, args...)
}

// UnseenNotices counts the notices that a user has not seen.
func (tx *Tx) UnseenNotices(a name.Account, user name.ID) (int, error) {
	return tx.count(`SELECT count(*) FROM notices WHERE user_id = $1 AND account = $2 AND seen = 0`, int64(user), int64(a))
}

// MarkNoticesSeen notes that a user has seen all notices up to a time.
func (tx *Tx) MarkNoticesSeen(a name.Account, user name.ID, upTo, now time.Time) (int, error) {
	n, err := tx.exec(`UPDATE notices SET seen = $4 WHERE user_id = $1 AND account = $2 AND at <= $3 AND seen = 0`,
		int64(user), int64(a), micros(upTo), micros(now))
	return int(n), err
}

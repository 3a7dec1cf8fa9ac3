package page

// Cursor is where the next page begins, as the client sees and returns it:
// printable ASCII, at most MaxCursor characters. Empty means the beginning when
// it comes in, and the end when it goes out.
type Cursor string

// Page is a stretch of a list.
type Page[T any] struct {
	Items []T
	Next  Cursor // empty: nothing follows
}

// More reports whether another page follows.
func (p Page[T]) More() bool { return p.Next != "" }

// Key is the place of a row in its list: the values of the columns that the list
// is ordered by, the last of them unique. Next pages begin after it.
type Key []string

// Cut makes a page of at most limit items of rows, for which one row more than
// limit was asked: if it is there, something follows, and the next page begins
// after the key of the last item.
func Cut[T any](c *Codec, list List, rows []T, limit int, key func(T) Key) (Page[T], error) {
	if len(rows) <= limit {
		return Page[T]{Items: rows}, nil
	}
	rows = rows[:limit:limit]
	next, err := c.Encode(list, key(rows[limit-1]))
	return Page[T]{Items: rows, Next: next}, err
}

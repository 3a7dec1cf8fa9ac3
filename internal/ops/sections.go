package ops

import (
	"strconv"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/store"
)

// section is one of several lists that are paged one after another, each in an
// order of its own.
type section[T any] struct {
	read func(after page.Key, limit int) ([]T, error) // after is nil at the beginning
	key  func(T) page.Key
}

// byName is a section that is ordered by name.
func byName[T any](read func(after string, limit int) ([]T, error), nameOf func(T) string) section[T] {
	return section[T]{
		read: func(after page.Key, limit int) ([]T, error) {
			if after == nil {
				return read("", limit)
			}
			return read(after[0], limit)
		},
		key: func(v T) page.Key { return page.Key{nameOf(v)} },
	}
}

// sectioned is a row and the number of the section that it comes from.
type sectioned[T any] struct {
	from int
	row  T
}

// pagedSections reads one page of lists that follow each other. The cursor
// holds the number of the section and the key in it.
func pagedSections[T any](env *Env, op string, filter []string, in Listing, all []section[T]) (page.Page[T], error) {
	read := func(after page.Key, limit int) ([]sectioned[T], error) {
		first := 0
		if after != nil {
			n, err := strconv.Atoi(after[0])
			if err != nil {
				return nil, fault.Wrap(err, "read a cursor")
			}
			first, after = n, after[1:]
		}
		var rows []sectioned[T]
		for i := first; i < len(all) && len(rows) < limit; i++ {
			part, err := all[i].read(after, limit-len(rows))
			if err != nil {
				return nil, err
			}
			for _, row := range part {
				rows = append(rows, sectioned[T]{i, row})
			}
			after = nil
		}
		return rows, nil
	}
	p, err := pagedBy(env, op, filter, in, read, func(s sectioned[T]) page.Key {
		return append(page.Key{strconv.Itoa(s.from)}, all[s.from].key(s.row)...)
	})
	out := page.Page[T]{Next: p.Next}
	for _, s := range p.Items {
		out.Items = append(out.Items, s.row)
	}
	return out, err
}

// policyPlace is the key of a policy in lists of policies: the vendor may have
// one of the same name.
func policyPlace(p iam.Policy) page.Key { return page.Key{p.Name, p.ID.String()} }

// placeOf reads what policyPlace wrote.
func placeOf(after page.Key) store.After {
	if len(after) != 2 {
		return store.After{}
	}
	id, _ := strconv.ParseInt(after[1], 10, 64) // the cursor is authenticated: it is one that was written
	return store.After{Name: after[0], ID: name.ID(id)}
}

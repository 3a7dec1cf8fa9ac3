package tree

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Height is how many levels of the tree a tile holds: 256 hashes when it is full
// (C2SP tlog-tiles).
const Height = 8

const (
	perTile  = 1 << Height
	tileSize = perTile * tlog.HashSize
	levels   = 63/Height + 1 // more than a tree can have
)

// Tile is a piece of the tree: up to 256 hashes of every eighth level, counted
// from the leaves. Only the last tile of a level has fewer.
type Tile struct {
	Level int
	N     int64
	Data  []byte
}

// Edge is the right edge of the tree: its size and of each level the tile that
// is not full. It is all that adding leaves needs. Its zero value is the empty
// tree.
type Edge struct {
	size  int64
	tiles [levels][]byte
}

// TilePlace says which tile is meant.
type TilePlace struct {
	Level int
	N     int64
}

// Tiles reads tiles, each in the place of where it was asked for; nil for one that
// there is not. It is asked for all that are needed at once, for each question to a
// database takes as long as a tile.
type Tiles func([]TilePlace) ([][]byte, error)

// LoadEdge reads the edge of a tree of a size from its tiles.
func LoadEdge(size int64, read Tiles) (*Edge, error) {
	e := &Edge{size: size}
	var places []TilePlace
	for level := range levels {
		if hashes := size >> (level * Height); hashes&(perTile-1) != 0 {
			places = append(places, TilePlace{level, hashes >> Height})
		}
	}
	if places == nil {
		return e, nil
	}
	tiles, err := read(places)
	if err != nil {
		return nil, err
	}
	for i, at := range places {
		width := int(size>>(at.Level*Height)&(perTile-1)) * tlog.HashSize
		if len(tiles[i]) < width {
			return nil, fmt.Errorf("tile %d of level %d has %d bytes, not the %d of a tree of size %d", at.N, at.Level, len(tiles[i]), width, size)
		}
		e.tiles[at.Level] = append(make([]byte, 0, tileSize), tiles[i][:width]...)
	}
	return e, nil
}

// Size is how many leaves the tree has.
func (e *Edge) Size() int64 { return e.size }

// Add adds a leaf and hands over the tiles that it fills.
func (e *Edge) Add(leaf tlog.Hash, full func(Tile)) {
	h := leaf
	for level := range levels {
		n := e.size >> ((level + 1) * Height)
		e.tiles[level] = append(e.tiles[level], h[:]...)
		if len(e.tiles[level]) < tileSize {
			break
		}
		full(Tile{level, n, e.tiles[level]})
		h = tileRoot(e.tiles[level])
		e.tiles[level] = nil
	}
	e.size++
}

// Partial are the tiles that are not full; they change with the next leaf.
func (e *Edge) Partial() (all []Tile) {
	for level, data := range e.tiles {
		if len(data) > 0 {
			all = append(all, Tile{level, e.size >> ((level + 1) * Height), data})
		}
	}
	return all
}

// Root is the hash of the whole tree.
func (e *Edge) Root() tlog.Hash {
	root, err := tlog.TreeHash(e.size, reader(func(places []TilePlace) ([][]byte, error) {
		tiles := make([][]byte, len(places))
		for i, at := range places {
			if at.N != e.size>>((at.Level+1)*Height) {
				return nil, fmt.Errorf("the root needs tile %d of level %d, which is not on the edge", at.N, at.Level)
			}
			tiles[i] = e.tiles[at.Level]
		}
		return tiles, nil
	}))
	if err != nil {
		panic("tree: " + err.Error()) // the edge holds all that a root is made of
	}
	return root
}

// tileRoot is the hash over a full tile.
func tileRoot(data []byte) tlog.Hash {
	var hashes [perTile]tlog.Hash
	for i := range hashes {
		copy(hashes[i][:], data[i*tlog.HashSize:])
	}
	for n := perTile; n > 1; n /= 2 {
		for i := range n / 2 {
			hashes[i] = tlog.NodeHash(hashes[2*i], hashes[2*i+1])
		}
	}
	return hashes[0]
}

// reader reads hashes of the tree out of tiles, each of which it asks for once.
func reader(read Tiles) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var places []TilePlace
		for _, index := range indexes {
			if at := placeOfHash(index); !slices.Contains(places, at) {
				places = append(places, at)
			}
		}
		if places == nil {
			return nil, nil
		}
		tiles, err := read(places)
		if err != nil {
			return nil, err
		}
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			t := tlog.TileForIndex(Height, index)
			data := tiles[slices.Index(places, placeOfHash(index))]
			if t.W = len(data) / tlog.HashSize; t.W == 0 || t.W > perTile {
				return nil, fmt.Errorf("tile %d of level %d has %d bytes", t.N, t.L, len(data))
			}
			if hashes[i], err = tlog.HashFromTile(t, data[:t.W*tlog.HashSize], index); err != nil {
				return nil, err
			}
		}
		return hashes, nil
	})
}

// placeOfHash says in which tile a hash is.
func placeOfHash(index int64) TilePlace {
	t := tlog.TileForIndex(Height, index)
	return TilePlace{t.L, t.N}
}

// Prove makes the proof that leaf n is in the tree of a size.
func Prove(size, n int64, read Tiles) (tlog.RecordProof, error) {
	return tlog.ProveRecord(size, n, reader(read))
}

// RootAt is the root that the tree had at a size, read from its tiles.
func RootAt(size int64, read Tiles) (tlog.Hash, error) {
	return tlog.TreeHash(size, reader(read))
}

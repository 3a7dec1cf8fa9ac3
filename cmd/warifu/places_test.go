package main

import (
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/signin"
)

// A small writer of the MaxMind DB format, version 2.0: fields of the data section
// and a search tree over prefixes of IPv4 addresses.

type field struct {
	key   string
	value any // string, uint16, uint32, float64, []field
}

func control(kind byte, size int) []byte {
	if kind < 8 {
		return []byte{kind<<5 | byte(size)}
	}
	return []byte{byte(size), kind - 7}
}

func encode(v any) []byte {
	switch v := v.(type) {
	case string:
		return append(control(2, len(v)), v...)
	case float64:
		return binary.BigEndian.AppendUint64(control(3, 8), math.Float64bits(v))
	case uint16:
		return binary.BigEndian.AppendUint16(control(5, 2), v)
	case uint32:
		return binary.BigEndian.AppendUint32(control(6, 4), v)
	case uint64:
		return binary.BigEndian.AppendUint64(control(9, 8), v)
	case []field:
		out := control(7, len(v))
		for _, f := range v {
			out = append(append(out, encode(f.key)...), encode(f.value)...)
		}
		return out
	}
	panic("no such kind of field")
}

// writePlaces writes a database that knows some prefixes.
func writePlaces(t *testing.T, places map[string][]field) string {
	t.Helper()
	const nothing = -1
	tree := [][2]int{{nothing, nothing}} // a child is a node, nothing, or ^offset of data
	var data []byte
	for prefix, record := range places {
		p := netip.MustParsePrefix(prefix)
		at, bits := 0, binary.BigEndian.Uint32(p.Addr().AsSlice())
		for i := range p.Bits() {
			side := bits >> (31 - i) & 1
			if i == p.Bits()-1 {
				tree[at][side] = -2 - len(data)
				break
			}
			if tree[at][side] == nothing {
				tree = append(tree, [2]int{nothing, nothing})
				tree[at][side] = len(tree) - 1
			}
			at = tree[at][side]
		}
		data = append(data, encode(record)...)
	}
	var out []byte
	for _, node := range tree {
		for _, child := range node {
			switch {
			case child == nothing:
				child = len(tree)
			case child < 0:
				child = len(tree) + 16 - child - 2
			}
			out = append(out, byte(child>>16), byte(child>>8), byte(child))
		}
	}
	out = append(append(out, make([]byte, 16)...), data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	out = append(out, encode([]field{
		{"node_count", uint32(len(tree))}, {"record_size", uint16(24)}, {"ip_version", uint16(4)}, {"database_type", "Test-City"},
		{"binary_format_major_version", uint16(2)}, {"binary_format_minor_version", uint16(0)}, {"build_epoch", uint64(1_700_000_000)},
		{"description", []field{}},
	})...)
	file := filepath.Join(t.TempDir(), "places.mmdb")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The sign-in rules know places from a file of MaxMind's format: Tokyo to London in
// an hour is no journey, in a day it is one.
func TestPlacesFromAFile(t *testing.T) {
	at := func(latitude, longitude float64) []field {
		return []field{{"city", []field{{"geoname_id", uint32(1)}}}, {"location", []field{{"latitude", latitude}, {"longitude", longitude}}}}
	}
	locate, err := openPlaces(writePlaces(t, map[string][]field{
		"203.0.113.0/24": at(35.68, 139.76), "198.51.100.0/25": at(51.5, -0.12), "192.0.2.0/24": {{"city", []field{}}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	place := func(ip string) iam.Place { return locate(netip.MustParseAddr(ip)) }
	tokyo, london := place("203.0.113.77"), place("198.51.100.1")
	if tokyo != (iam.Place{Known: true, Latitude: 35.68, Longitude: 139.76}) || london.Latitude != 51.5 {
		t.Fatalf("tokyo %+v, london %+v", tokyo, london)
	}
	for what, ip := range map[string]string{"without a place": "192.0.2.1", "beyond the prefix": "198.51.100.200", "not there": "10.0.0.1", "version 6": "2001:db8::1"} {
		if p := place(ip); p.Known {
			t.Errorf("%s: %+v", what, p)
		}
	}
	if !signin.TooFast(tokyo, london, time.Hour) || signin.TooFast(tokyo, london, 24*time.Hour) {
		t.Error("a journey of 9,600 km takes more than an hour and less than a day")
	}
	if none, err := openPlaces(""); none != nil || err != nil {
		t.Errorf("no file: %v", err)
	}
	broken := filepath.Join(t.TempDir(), "broken.mmdb")
	if err := os.WriteFile(broken, []byte("GeoLite"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openPlaces(broken); err == nil {
		t.Error("a broken file opens")
	}
}

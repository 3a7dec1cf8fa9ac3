package main

import (
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"

	"warifu/internal/iam"
)

// openPlaces opens the operator's database of places (MaxMind DB format, such as
// GeoLite2-City), by which the sign-in rules find journeys that nobody makes. ""
// is none: then no place is known. The database stays open while the process
// runs.
func openPlaces(file string) (func(netip.Addr) iam.Place, error) {
	if file == "" {
		return nil, nil
	}
	db, err := maxminddb.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open the database of places: %w", err)
	}
	return func(ip netip.Addr) (p iam.Place) {
		found := db.Lookup(ip)
		lat, lon := (*float64)(nil), (*float64)(nil)
		if found.DecodePath(&lat, "location", "latitude") != nil || found.DecodePath(&lon, "location", "longitude") != nil || lat == nil || lon == nil {
			return p // not in the database, or without a place there
		}
		return iam.Place{Known: true, Latitude: *lat, Longitude: *lon}
	}, nil
}

// Command gen makes the table of permissions that package oci embeds: it reads the
// facts about OCI's resource types and operations and writes them as lines, once as
// text for people and once compressed for the program.
//
//	go run ./policy/oci/gen FACTS.json policy/oci/permissions.txt
package main

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
)

type facts struct {
	Resources map[string]struct {
		Verbs map[string][]string `json:"verbs"`
	} `json:"resources"`
	Operations   map[string][]string            `json:"operations"`
	Families     map[string][]string            `json:"families"`
	FamilyExtras map[string]map[string][]string `json:"familyExtras"`
	Aliases      map[string]string              `json:"aliases"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: gen FACTS.json TABLE.txt")
	}
	src, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var f facts
	if err := json.Unmarshal(src, &f); err != nil {
		log.Fatal(err)
	}
	text := f.lines()
	if err := os.WriteFile(os.Args[2], text, 0o644); err != nil {
		log.Fatal(err)
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = os.WriteFile(strings.TrimSuffix(os.Args[2], ".txt")+".flate", packed.Bytes(), 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// lines writes one fact a line: its kind, its name, and words.
func (f *facts) lines() []byte {
	var b bytes.Buffer
	verbs := []string{"inspect", "read", "use", "manage"}
	for _, name := range slices.Sorted(maps.Keys(f.Resources)) {
		for _, one := range strings.Split(name, " and ") { // one row of the facts names two types
			fmt.Fprintf(&b, "type %s%s\n", one, perVerb(f.Resources[name].Verbs, verbs))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Families)) {
		fmt.Fprintf(&b, "family %s %s\n", name, strings.Join(f.Families[name], " "))
	}
	for _, name := range slices.Sorted(maps.Keys(f.FamilyExtras)) {
		fmt.Fprintf(&b, "extra %s%s\n", name, perVerb(f.FamilyExtras[name], verbs))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Aliases)) {
		fmt.Fprintf(&b, "alias %s %s\n", f.Aliases[name], name)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Operations)) {
		if len(f.Operations[name]) > 0 {
			fmt.Fprintf(&b, "op %s %s\n", name, strings.Join(unglued(f.Operations[name]), " "))
		}
	}
	return b.Bytes()
}

// perVerb writes what each verb adds, in the verbs' order, with commas inside and a
// dash for nothing.
func perVerb(m map[string][]string, verbs []string) string {
	out := ""
	for _, v := range verbs {
		words := strings.Join(unglued(m[v]), ",")
		if words == "" {
			words = "-"
		}
		out += " " + words
	}
	return out
}

// unglued parts permissions between which the facts lost a separator: the first word
// of the name comes again, behind no underscore.
func unglued(permissions []string) []string {
	var out []string
	for _, p := range permissions {
		first, _, _ := strings.Cut(p, "_")
		for i := len(first); i+len(first) < len(p); i++ {
			if p[i-1] != '_' && strings.HasPrefix(p[i:], first+"_") {
				out = append(out, p[:i])
				p, i = p[i:], len(first)
			}
		}
		out = append(out, p)
	}
	return out
}

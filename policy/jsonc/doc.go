// Package jsonc blanks the comments of JSON that people write by hand.
//
// It owns what a comment is: // to the end of the line, and /* to the next */,
// outside of strings, as in ECMAScript (ECMA-262, section 12.4). It never parses
// or changes JSON: what is wrong apart from comments is left to the parser that
// reads the result, trailing commas among it.
//
// Callers keep the text as it was written, and give the blanked one to whoever
// reads JSON: every byte outside of a comment stands where it stood, so that
// lines and columns of errors and of rules are those of the written text.
package jsonc

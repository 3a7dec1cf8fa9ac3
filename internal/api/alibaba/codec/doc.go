// Package codec reads parameters of Alibaba Cloud's RPC style into shapes, and
// writes answers and errors as JSON or XML.
//
// A shape is a struct whose fields are called as the parameters are. Their tags
// say what is checked before an operation runs:
//
//	req:"true"        the parameter must be sent
//	len:"1,64"        its length in characters
//	chars:"a-z0-9."   a class of the characters that it may hold
//	range:"900,3600"  the bounds of a number
//	flat:"true"       a struct of parameters, as if it were embedded
//
// A field that is a pointer tells apart what was not sent. Lists come in two
// spellings, as a JSON array in one parameter and as Name.1, Name.2.Key, …; both
// are read. The literal null is what some clients send for a value that is not
// set: it counts as not sent for all but text.
//
// It knows no operation and no fault of the program. The door calls it.
package codec

// Package codec owns the wire forms of the AWS door: the AWS Query protocol
// (form in, XML out) of IAM and STS, AWS JSON 1.1 of CloudTrail, and the error
// documents of these and of EC2 and S3.
//
// It turns bytes into small shape structs and back, and checks a shape's
// constraints in AWS's words. It never sees an HTTP request, never decides, and
// knows no operation: the door binds each operation to a [Decoder] and an
// [Encoder], which are compiled once, when the door is built.
//
// A shape lists only the members that we honour, one exported field each:
//
//	type CreateUserInput struct {
//		UserName string `aws:",required" len:"1,64" pattern:"[\\w+=,.@-]+"`
//		Path     string `len:"1,512" pattern:"(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)"`
//		Tags     []Tag  `len:",50"`
//	}
//
// The fields of an embedded struct count as the shape's own.
//
// Tags of a field:
//
//	aws:"Name,option,…"  the member's name, by default the field's; "-" leaves it out
//	  required           (in) must be sent; a list must be sent, be it empty
//	  secret             (in) its value is never repeated in an error
//	  keep               (out) written even if it is empty: <MFADevices/>
//	  urlencoded         (out) percent-encoded by RFC 3986, as policy documents are
//	len:"min,max"        characters of a string, bytes of a blob, members of a list or map
//	range:"min,max"      of a number
//	pattern:"…"          the whole string, in the model's spelling (\u escapes are understood)
//	re:"…"               what is matched where Go cannot spell the pattern; pattern is what is said
//	says:"…"             replaces the pattern's message: The specified value for NAME is invalid. …
//	enum:"A B"           the values, separated by spaces
//	eachlen, eachpattern, eachre, eachenum, and the option eachrequired: the
//	                     same for the members of a list of strings, said together
//
// Types of a field: string, bool, int, int32, int64, time.Time, []byte
// (base64), a struct, a slice of these, map[string]string, map[string]int32 (out
// only), and pointers to them, where absent and zero must be told apart.
package codec

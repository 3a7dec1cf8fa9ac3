package totp

import (
	"strconv"
	"strings"

	"rsc.io/qr"

	"warifu/internal/fault"
)

const (
	// quiet is the white border of a QR code in modules (ISO/IEC 18004 asks for
	// four). The PNG encoder adds it by itself.
	quiet = 4

	// scale is how many pixels a module has on each side in the PNG: an otpauth
	// URI then fills 400 to 500 pixels, which a phone reads from a screen at
	// arm's length, and which divides well on dense screens.
	scale = 8
)

// QR is a QR code of an otpauth URI. It is a secret, as the URI is.
type QR struct{ code *qr.Code }

// NewQR encodes text at level M: a code stays readable with 15 % of it spoilt by
// glare or a cursor. It fails for a text of over 2,331 bytes.
func NewQR(text string) (QR, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return QR{}, fault.Field("name", "the name is too long for a QR code")
	}
	code.Scale = scale
	return QR{code}, nil
}

// PNG is the picture, border included.
func (q QR) PNG() []byte { return q.code.PNG() }

// Size is the side of the picture that Path draws, in its units (one a module),
// border included: the viewBox is "0 0 Size Size".
func (q QR) Size() int { return q.code.Size + 2*quiet }

// Path is the d attribute of an SVG path that draws the dark modules, row by
// row; it holds nothing but letters, digits, spaces and minus signs. Paint it
// black on a white ground, with shape-rendering="crispEdges".
func (q QR) Path() string {
	var b strings.Builder
	for y := range q.code.Size {
		for x := 0; x < q.code.Size; x++ {
			run := 0
			for q.code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				n := strconv.Itoa(run)
				b.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h" + n + "v1h-" + n + "z")
				x += run
			}
		}
	}
	return b.String()
}

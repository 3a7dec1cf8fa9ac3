package ram

import "warifu/policy"

// Language is RAM's number among the policy languages.
const Language policy.Language = 1

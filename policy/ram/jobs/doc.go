// Package jobs knows the functions that people and programs have in an account of
// Alibaba Cloud's kind, and what each is given and forbidden (ECS, "Grant permissions
// to RAM users by their roles instead of using the Alibaba Cloud account"). The
// policies are texts of the RAM language with their comments.
//
// It holds texts and names only; ops makes what they say.
package jobs

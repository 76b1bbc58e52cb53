// Package stats holds statistical methods as pure functions; it reads no run
// and judges none.
package stats

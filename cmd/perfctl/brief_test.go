//go:build !faults

package main

// thorough is for make test-faults: here a few stand for all.
const thorough = false

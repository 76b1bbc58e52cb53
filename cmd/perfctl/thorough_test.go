//go:build faults

package main

// thorough has every scenario meet every fault, and kills a hundred runs.
const thorough = true

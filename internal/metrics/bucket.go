package metrics

import "math/bits"

// The histogram's layout is that of HdrHistogram with a lowest discernible
// value of 1 ns, a highest trackable value of 1 h and three significant
// digits: the first 2048 values have a bucket each, and every doubling after
// that has 1024, so that a bucket is never wider than 1/1024 of its value.
// Equal indices with other HDR implementations are what lets a run's log be
// read by them.
const (
	// LowestValue is the lowest discernible value, in nanoseconds.
	LowestValue = 1
	// HighestValue is the highest trackable value, in nanoseconds: one hour.
	HighestValue = 3_600_000_000_000
	// SignificantDigits is how many decimal digits of a value are kept.
	SignificantDigits = 3

	subBits = 11                 // 2048 sub-buckets
	pageLen = 1 << (subBits - 1) // counts per page; a page is half the sub-buckets, one doubling
	// pageCount pages reach past HighestValue: 2048 ns doubled 31 times is
	// 4.4e12 ns.
	pageCount = 33
	// BucketCount is how many buckets a histogram has.
	BucketCount = pageLen * pageCount
)

// bucketIndex returns the index of the bucket that holds v, for v in
// [0, HighestValue].
func bucketIndex(v int64) int {
	doubling := bits.Len64(uint64(v)|(2*pageLen-1)) - subBits
	return doubling<<(subBits-1) + int(v>>doubling)
}

// bucketBounds returns the lowest and the highest value of bucket i.
func bucketBounds(i int) (low, high int64) {
	doubling := max(i>>(subBits-1)-1, 0)
	sub := int64(i - doubling<<(subBits-1))
	return sub << doubling, (sub+1)<<doubling - 1
}

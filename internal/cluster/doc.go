// Package cluster makes one run of many pods: the objects of a Kubernetes Indexed Job,
// the protocol by which its shards start together and hand over what they record, and
// the following of both from outside. What a run does is not known here: a shard's run
// directory is files, its plan is bytes.
//
// The protocol needs nothing in the cluster but the API server. A shard speaks by its
// log, in frames (Frame), and is told things by annotations of its pod, which it reads
// in a file (Inbox):
//
//	shard                        command
//	hello    what I am      →
//	                        ←    handover: what shard 0 set up (to all others)
//	ready    all is set up  →
//	                        ←    start-at: the instant of the first arrival
//	armed    I wait for it  →
//	data     what is new in the run directory, every second
//	                        ←    stop, reprint from a number
//	final    how much there is, and its hashes
//	                        ←    collected
package cluster

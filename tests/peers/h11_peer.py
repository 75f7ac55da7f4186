"""h11 as the judge of HTTP/1.1: what is sent is raw bytes, and h11 reads every byte that comes back."""

import http_bodies
import http_requests
from report import Report

CASES = [
    http_requests.pipelining,
    http_requests.byte_by_byte,
    http_requests.persistence,
    http_requests.empty_lines_before,
    http_requests.targets,
    http_requests.hosts,
    http_requests.head,
    http_requests.methods,
    http_requests.versions,
    http_requests.upgrades_that_are_none,
    http_bodies.chunked_bodies,
    http_bodies.expectations,
    http_bodies.bodies_that_nobody_reads,
    http_bodies.too_large,
    http_bodies.large_heads,
    http_bodies.smuggled_lengths,
    http_bodies.smuggled_encodings,
    http_bodies.both_lengths,
    http_bodies.same_length_twice,
    http_bodies.chunked_twice,
    http_bodies.bad_chunks,
    http_bodies.header_lines,
    http_requests.half_requests,
    http_requests.no_answer_before_the_end_of_a_request,
    http_requests.many_connections,
]


def main():
    report = Report("h11", "HTTP/1.1")
    for case in CASES:
        report.run(case.__name__, case)
    report.finish()


if __name__ == "__main__":
    main()

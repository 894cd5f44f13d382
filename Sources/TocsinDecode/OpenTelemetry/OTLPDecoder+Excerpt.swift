internal import TocsinCore

// A data point as a request of its own: its bytes as received, and around them what it takes its names from.
extension OTLPDecoder {
    /// More than what stands around the copied bytes.
    private static let frameBytes = 128

    mutating func excerpt(
        json bytes: Span<UInt8>, _ range: Range<Int>, _ book: inout ExcerptBook
    ) throws(DecodeFault) {
        try tree.parse(bytes, range)
        for resourceMetrics in list("resourceMetrics", of: 0, bytes) {
            let resource = members(["resource"], of: resourceMetrics, bytes)
            for scope in list("scopeMetrics", of: resourceMetrics, bytes) {
                for metric in list("metrics", of: scope, bytes) {
                    let names = members(["name", "unit"], of: metric, bytes)
                    let size = Self.frameBytes + (resource + names).reduce(0) { $0 + $1.size }
                    for kind in Self.kinds {
                        guard let data = tree.member(kind, of: metric, bytes), tree.nodes[data].kind == .object else {
                            continue
                        }
                        for point in list("dataPoints", of: data, bytes) {
                            let part = tree.nodes[point].whole
                            book.add(part, size: size + part.count) {
                                Self.request(part, kind, names, resource, bytes)
                            }
                        }
                    }
                }
            }
        }
    }

    /// `"name":value,` as it stands in the request.
    private struct Member {
        var name: StaticString
        var content: Range<Int>

        var size: Int { name.utf8CodeUnitCount + content.count + 4 }

        func text(_ bytes: Span<UInt8>) -> [UInt8] {
            Array("\"\(name)\":".utf8) + OTLPDecoder.copy(bytes, content) + [UInt8(ascii: ",")]
        }
    }

    /// Those that are there, as objects or texts.
    private func members(_ names: [StaticString], of node: Int, _ bytes: Span<UInt8>) -> [Member] {
        var members: [Member] = []
        for name in names {
            guard let found = tree.member(name, of: node, bytes) else { continue }
            let node = tree.nodes[found]
            switch node.kind {
            case .object: members.append(Member(name: name, content: node.whole))
            // With its quotes.
            case .string:
                members.append(Member(name: name, content: node.text.lowerBound - 1..<node.text.upperBound + 1))
            default: continue
            }
        }
        return members
    }

    private static func request(
        _ point: Range<Int>, _ kind: StaticString, _ names: [Member], _ resource: [Member], _ bytes: Span<UInt8>
    ) -> [UInt8] {
        var request = Array(#"{"resourceMetrics":[{"#.utf8)
        for member in resource { request += member.text(bytes) }
        request += Array(#""scopeMetrics":[{"metrics":[{"#.utf8)
        for member in names { request += member.text(bytes) }
        request += Array("\"\(kind)\":{\"dataPoints\":[".utf8)
        request += copy(bytes, point)
        return request + Array("]}}]}]}]}".utf8)
    }

    func excerpt(
        protobuf bytes: Span<UInt8>, _ range: Range<Int>, _ book: inout ExcerptBook
    ) throws(DecodeFault) {
        for resourceMetrics in try Self.fields([1], in: range, bytes) {
            let resources = try Self.fields([1], in: resourceMetrics.content, bytes)
            let resourceSize = Self.size(of: resources)
            for scope in try Self.fields([2], in: resourceMetrics.content, bytes) {
                for metric in try Self.fields([2], in: scope.content, bytes) {
                    let names = try Self.fields([1, 3], in: metric.content, bytes)
                    let size = Self.frameBytes + Self.size(of: names) + resourceSize
                    for data in try Self.fields([5, 7, 9, 10, 11], in: metric.content, bytes) {
                        for point in try Self.fields([1], in: data.content, bytes) {
                            book.add(point.content, size: size + point.content.count) {
                                Self.request(point, data.number, names, resources, bytes)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func size(of parts: [Part]) -> Int {
        parts.reduce(0) { $0 + $1.content.count + ProtobufWriter.mostTagBytes }
    }

    private struct Part {
        var number: Int
        var content: Range<Int>
    }

    /// Fields of these numbers, in their order.
    private static func fields(
        _ numbers: [Int], in range: Range<Int>, _ bytes: Span<UInt8>
    ) throws(DecodeFault) -> [Part] {
        var found: [Part] = []
        var reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            if field.wire == .delimited, numbers.contains(field.number) {
                found.append(Part(number: field.number, content: try reader.delimited(bytes)))
            } else {
                try reader.skip(field, bytes)
            }
        }
        return found
    }

    private static func request(
        _ point: Part, _ kind: Int, _ names: [Part], _ resources: [Part], _ bytes: Span<UInt8>
    ) -> [UInt8] {
        var request = ProtobufWriter()
        let copies = (names + resources).map { copy(bytes, $0.content) }
        let content = copy(bytes, point.content)
        request.message(1) { resourceMetrics in
            for number in resources.indices { resourceMetrics.data(1, copies[names.count + number]) }
            resourceMetrics.message(2) { scope in
                scope.message(2) { metric in
                    for number in names.indices { metric.data(names[number].number, copies[number]) }
                    metric.message(kind) { $0.data(1, content) }
                }
            }
        }
        return request.bytes
    }

    fileprivate static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe Array($0) }
    }
}

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinCore

/// Tells the messages in lines of JSON apart and finds their sensors, without reading the JSON.
///
/// For lines as the simulator writes them: the first `"sensor_id":"…"` of a line is its sensor, and a name holds no
/// escaped character. About 20 ns a line: the name is looked for where it stood in the line before.
public struct MessageSplitter: Sendable {
    private static let mark = Array(#""sensor_id":""#.utf8)
    /// Where the mark stood in the line before.
    private var place = 1

    public init() {}

    public mutating func chunk(_ lines: consuming [UInt8]) -> ReadingChunk {
        var messages: [ByteRange] = []
        var sensors: [ByteRange] = []
        messages.reserveCapacity(lines.count / 128)
        sensors.reserveCapacity(lines.count / 128)
        var place = place
        lines.withUnsafeBytes { bytes in
            Self.mark.withUnsafeBytes { mark in
                guard let base = bytes.baseAddress else { return }
                var start = 0
                while start < bytes.count {
                    let found = memchr(base + start, 0x0a, bytes.count - start)
                    let end = found.map { UnsafeRawPointer($0) - base } ?? bytes.count
                    if end > start {
                        messages.append(ByteRange(offset: start, length: end - start))
                        sensors.append(Self.sensor(base, start..<end, mark, &place))
                    }
                    start = end + 1
                }
            }
        }
        self.place = place
        return ReadingChunk(lines: lines, messages: messages, sensors: sensors)
    }

    private static func sensor(
        _ base: UnsafeRawPointer, _ line: Range<Int>, _ mark: UnsafeRawBufferPointer, _ place: inout Int
    ) -> ByteRange {
        guard let wanted = mark.baseAddress else { return ByteRange(offset: line.lowerBound, length: 0) }
        if place + mark.count > line.count || memcmp(base + line.lowerBound + place, wanted, mark.count) != 0 {
            guard let found = find(wanted, mark.count, base, line) else {
                return ByteRange(offset: line.lowerBound, length: 0)
            }
            place = found - line.lowerBound
        }
        let start = line.lowerBound + place + mark.count
        guard let quote = memchr(base + start, 0x22, line.upperBound - start) else {
            return ByteRange(offset: line.lowerBound, length: 0)
        }
        return ByteRange(offset: start, length: UnsafeRawPointer(quote) - base - start)
    }

    private static func find(
        _ wanted: UnsafeRawPointer, _ length: Int, _ base: UnsafeRawPointer, _ line: Range<Int>
    ) -> Int? {
        var position = line.lowerBound
        while position + length <= line.upperBound,
            let quote = memchr(base + position, 0x22, line.upperBound - position)
        {
            position = UnsafeRawPointer(quote) - base
            guard position + length <= line.upperBound else { return nil }
            if memcmp(quote, wanted, length) == 0 { return position }
            position += 1
        }
        return nil
    }
}

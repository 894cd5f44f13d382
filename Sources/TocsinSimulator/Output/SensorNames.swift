/// The names of all sensors as bytes, in one buffer.
struct SensorNames: Sendable {
    private var bytes: [UInt8] = []
    /// One more than there are sensors.
    private var starts: [Int32] = [0]

    init(_ settings: SimulatorSettings) {
        let prefix = Array(settings.profile.namePrefix.utf8)
        let width = settings.profile.numberWidth
        // At most 16 bytes each: 10 million names fit 32-bit offsets.
        bytes.reserveCapacity(settings.sensors * (prefix.count + max(width, 8)))
        starts.reserveCapacity(settings.sensors + 1)
        for number in 1...settings.sensors {
            bytes += prefix
            var digits = 1
            var limit = 10
            while number >= limit {
                digits += 1
                limit *= 10
            }
            for _ in digits..<max(digits, width) { bytes.append(UInt8(ascii: "0")) }
            FixedPoint.append(UInt64(number), decimals: 0, to: &bytes)
            starts.append(Int32(bytes.count))
        }
    }

    @inline(__always)
    func bytes(of sensor: Int) -> ArraySlice<UInt8> { bytes[Int(starts[sensor])..<Int(starts[sensor + 1])] }
}

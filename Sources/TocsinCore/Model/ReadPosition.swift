/// How far a file has been read: where a source goes on after a restart.
public struct ReadPosition: Sendable, Equatable {
    public var path: String
    /// Device and number of the file: another one of the same name is read from its start.
    public var device: UInt64
    public var number: UInt64
    /// The first byte (unpacked) that has not been delivered.
    public var next: Int64

    public init(path: String, device: UInt64, number: UInt64, next: Int64) {
        self.path = path
        self.device = device
        self.number = number
        self.next = next
    }

    public func save(to writer: inout StateWriter) {
        writer.write(text: path)
        writer.write(device)
        writer.write(number)
        writer.write(next)
    }

    /// nil for nonsense.
    public init?(restoring reader: inout StateReader) {
        guard let path = reader.readText(), let device = reader.read(UInt64.self),
            let number = reader.read(UInt64.self),
            let next = reader.read(Int64.self)
        else { return nil }
        self.init(path: path, device: device, number: number, next: next)
    }
}

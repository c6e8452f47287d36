import Telemetry

/// What a message says outside its payload: the device and further string fields, as slices of bytes that outlive the decoding.
package struct MessageOrigin {
    package struct Field {
        package var name: UnsafeRawBufferPointer
        package var value: UnsafeRawBufferPointer

        package init(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
            self.name = name
            self.value = value
        }
    }

    package var table: TableNumber
    /// Nil: the payload's `device` key names the device. Otherwise that key, outside an envelope, is a field like any other, so that
    /// whom a broker lets publish for one device cannot write for another.
    package var device: UnsafeRawBufferPointer?
    /// The part of the topic called `{field}`: the field's name, for formats of one value a message.
    package var field: UnsafeRawBufferPointer?
    /// Fields given to every reading. A payload's field of the same name wins.
    package var fields: UnsafeBufferPointer<Field>

    package init(
        table: TableNumber, device: UnsafeRawBufferPointer?, field: UnsafeRawBufferPointer? = nil, fields: UnsafeBufferPointer<Field>
    ) {
        self.table = table
        self.device = device
        self.field = field
        self.fields = fields
    }
}

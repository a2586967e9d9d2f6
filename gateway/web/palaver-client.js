// node_modules/@msgpack/msgpack/dist.esm/utils/utf8.mjs
function utf8Count(str) {
  const strLength = str.length;
  let byteLength = 0;
  let pos = 0;
  while (pos < strLength) {
    let value = str.charCodeAt(pos++);
    if ((value & 4294967168) === 0) {
      byteLength++;
      continue;
    } else if ((value & 4294965248) === 0) {
      byteLength += 2;
    } else {
      if (value >= 55296 && value <= 56319) {
        if (pos < strLength) {
          const extra = str.charCodeAt(pos);
          if ((extra & 64512) === 56320) {
            ++pos;
            value = ((value & 1023) << 10) + (extra & 1023) + 65536;
          }
        }
      }
      if ((value & 4294901760) === 0) {
        byteLength += 3;
      } else {
        byteLength += 4;
      }
    }
  }
  return byteLength;
}
function utf8EncodeJs(str, output, outputOffset) {
  const strLength = str.length;
  let offset = outputOffset;
  let pos = 0;
  while (pos < strLength) {
    let value = str.charCodeAt(pos++);
    if ((value & 4294967168) === 0) {
      output[offset++] = value;
      continue;
    } else if ((value & 4294965248) === 0) {
      output[offset++] = value >> 6 & 31 | 192;
    } else {
      if (value >= 55296 && value <= 56319) {
        if (pos < strLength) {
          const extra = str.charCodeAt(pos);
          if ((extra & 64512) === 56320) {
            ++pos;
            value = ((value & 1023) << 10) + (extra & 1023) + 65536;
          }
        }
      }
      if ((value & 4294901760) === 0) {
        output[offset++] = value >> 12 & 15 | 224;
        output[offset++] = value >> 6 & 63 | 128;
      } else {
        output[offset++] = value >> 18 & 7 | 240;
        output[offset++] = value >> 12 & 63 | 128;
        output[offset++] = value >> 6 & 63 | 128;
      }
    }
    output[offset++] = value & 63 | 128;
  }
}
var sharedTextEncoder = new TextEncoder();
var TEXT_ENCODER_THRESHOLD = 50;
function utf8EncodeTE(str, output, outputOffset) {
  sharedTextEncoder.encodeInto(str, output.subarray(outputOffset));
}
function utf8Encode(str, output, outputOffset) {
  if (str.length > TEXT_ENCODER_THRESHOLD) {
    utf8EncodeTE(str, output, outputOffset);
  } else {
    utf8EncodeJs(str, output, outputOffset);
  }
}
var CHUNK_SIZE = 4096;
function utf8DecodeJs(bytes, inputOffset, byteLength) {
  let offset = inputOffset;
  const end = offset + byteLength;
  const units = [];
  let result = "";
  while (offset < end) {
    const byte1 = bytes[offset++];
    if ((byte1 & 128) === 0) {
      units.push(byte1);
    } else if ((byte1 & 224) === 192) {
      const byte2 = bytes[offset++] & 63;
      units.push((byte1 & 31) << 6 | byte2);
    } else if ((byte1 & 240) === 224) {
      const byte2 = bytes[offset++] & 63;
      const byte3 = bytes[offset++] & 63;
      units.push((byte1 & 31) << 12 | byte2 << 6 | byte3);
    } else if ((byte1 & 248) === 240) {
      const byte2 = bytes[offset++] & 63;
      const byte3 = bytes[offset++] & 63;
      const byte4 = bytes[offset++] & 63;
      let unit = (byte1 & 7) << 18 | byte2 << 12 | byte3 << 6 | byte4;
      if (unit > 65535) {
        unit -= 65536;
        units.push(unit >>> 10 & 1023 | 55296);
        unit = 56320 | unit & 1023;
      }
      units.push(unit);
    } else {
      units.push(byte1);
    }
    if (units.length >= CHUNK_SIZE) {
      result += String.fromCharCode(...units);
      units.length = 0;
    }
  }
  if (units.length > 0) {
    result += String.fromCharCode(...units);
  }
  return result;
}
var sharedTextDecoder = new TextDecoder();
var TEXT_DECODER_THRESHOLD = 200;
function utf8DecodeTD(bytes, inputOffset, byteLength) {
  const stringBytes = bytes.subarray(inputOffset, inputOffset + byteLength);
  return sharedTextDecoder.decode(stringBytes);
}
function utf8Decode(bytes, inputOffset, byteLength) {
  if (byteLength > TEXT_DECODER_THRESHOLD) {
    return utf8DecodeTD(bytes, inputOffset, byteLength);
  } else {
    return utf8DecodeJs(bytes, inputOffset, byteLength);
  }
}

// node_modules/@msgpack/msgpack/dist.esm/ExtData.mjs
var ExtData = class {
  type;
  data;
  constructor(type, data) {
    this.type = type;
    this.data = data;
  }
};

// node_modules/@msgpack/msgpack/dist.esm/DecodeError.mjs
var DecodeError = class _DecodeError extends Error {
  constructor(message) {
    super(message);
    const proto = Object.create(_DecodeError.prototype);
    Object.setPrototypeOf(this, proto);
    Object.defineProperty(this, "name", {
      configurable: true,
      enumerable: false,
      value: _DecodeError.name
    });
  }
};

// node_modules/@msgpack/msgpack/dist.esm/utils/int.mjs
var UINT32_MAX = 4294967295;
function setUint64(view, offset, value) {
  const high = value / 4294967296;
  const low = value;
  view.setUint32(offset, high);
  view.setUint32(offset + 4, low);
}
function setInt64(view, offset, value) {
  const high = Math.floor(value / 4294967296);
  const low = value;
  view.setUint32(offset, high);
  view.setUint32(offset + 4, low);
}
function getInt64(view, offset) {
  const high = view.getInt32(offset);
  const low = view.getUint32(offset + 4);
  return high * 4294967296 + low;
}
function getUint64(view, offset) {
  const high = view.getUint32(offset);
  const low = view.getUint32(offset + 4);
  return high * 4294967296 + low;
}

// node_modules/@msgpack/msgpack/dist.esm/timestamp.mjs
var EXT_TIMESTAMP = -1;
var TIMESTAMP32_MAX_SEC = 4294967296 - 1;
var TIMESTAMP64_MAX_SEC = 17179869184 - 1;
function encodeTimeSpecToTimestamp({ sec, nsec }) {
  if (sec >= 0 && nsec >= 0 && sec <= TIMESTAMP64_MAX_SEC) {
    if (nsec === 0 && sec <= TIMESTAMP32_MAX_SEC) {
      const rv = new Uint8Array(4);
      const view = new DataView(rv.buffer);
      view.setUint32(0, sec);
      return rv;
    } else {
      const secHigh = sec / 4294967296;
      const secLow = sec & 4294967295;
      const rv = new Uint8Array(8);
      const view = new DataView(rv.buffer);
      view.setUint32(0, nsec << 2 | secHigh & 3);
      view.setUint32(4, secLow);
      return rv;
    }
  } else {
    const rv = new Uint8Array(12);
    const view = new DataView(rv.buffer);
    view.setUint32(0, nsec);
    setInt64(view, 4, sec);
    return rv;
  }
}
function encodeDateToTimeSpec(date) {
  const msec = date.getTime();
  const sec = Math.floor(msec / 1e3);
  const nsec = (msec - sec * 1e3) * 1e6;
  const nsecInSec = Math.floor(nsec / 1e9);
  return {
    sec: sec + nsecInSec,
    nsec: nsec - nsecInSec * 1e9
  };
}
function encodeTimestampExtension(object) {
  if (object instanceof Date) {
    const timeSpec = encodeDateToTimeSpec(object);
    return encodeTimeSpecToTimestamp(timeSpec);
  } else {
    return null;
  }
}
function decodeTimestampToTimeSpec(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (data.byteLength) {
    case 4: {
      const sec = view.getUint32(0);
      const nsec = 0;
      return { sec, nsec };
    }
    case 8: {
      const nsec30AndSecHigh2 = view.getUint32(0);
      const secLow32 = view.getUint32(4);
      const sec = (nsec30AndSecHigh2 & 3) * 4294967296 + secLow32;
      const nsec = nsec30AndSecHigh2 >>> 2;
      return { sec, nsec };
    }
    case 12: {
      const sec = getInt64(view, 4);
      const nsec = view.getUint32(0);
      return { sec, nsec };
    }
    default:
      throw new DecodeError(`Unrecognized data size for timestamp (expected 4, 8, or 12): ${data.length}`);
  }
}
function decodeTimestampExtension(data) {
  const timeSpec = decodeTimestampToTimeSpec(data);
  return new Date(timeSpec.sec * 1e3 + timeSpec.nsec / 1e6);
}
var timestampExtension = {
  type: EXT_TIMESTAMP,
  encode: encodeTimestampExtension,
  decode: decodeTimestampExtension
};

// node_modules/@msgpack/msgpack/dist.esm/ExtensionCodec.mjs
var ExtensionCodec = class _ExtensionCodec {
  static defaultCodec = new _ExtensionCodec();
  // ensures ExtensionCodecType<X> matches ExtensionCodec<X>
  // this will make type errors a lot more clear
  // eslint-disable-next-line @typescript-eslint/naming-convention
  __brand;
  // built-in extensions
  builtInEncoders = [];
  builtInDecoders = [];
  // custom extensions
  encoders = [];
  decoders = [];
  constructor() {
    this.register(timestampExtension);
  }
  register({ type, encode: encode2, decode: decode2 }) {
    if (type >= 0) {
      this.encoders[type] = encode2;
      this.decoders[type] = decode2;
    } else {
      const index = -1 - type;
      this.builtInEncoders[index] = encode2;
      this.builtInDecoders[index] = decode2;
    }
  }
  tryToEncode(object, context) {
    for (let i = 0; i < this.builtInEncoders.length; i++) {
      const encodeExt = this.builtInEncoders[i];
      if (encodeExt != null) {
        const data = encodeExt(object, context);
        if (data != null) {
          const type = -1 - i;
          return new ExtData(type, data);
        }
      }
    }
    for (let i = 0; i < this.encoders.length; i++) {
      const encodeExt = this.encoders[i];
      if (encodeExt != null) {
        const data = encodeExt(object, context);
        if (data != null) {
          const type = i;
          return new ExtData(type, data);
        }
      }
    }
    if (object instanceof ExtData) {
      return object;
    }
    return null;
  }
  decode(data, type, context) {
    const decodeExt = type < 0 ? this.builtInDecoders[-1 - type] : this.decoders[type];
    if (decodeExt) {
      return decodeExt(data, type, context);
    } else {
      return new ExtData(type, data);
    }
  }
};

// node_modules/@msgpack/msgpack/dist.esm/utils/typedArrays.mjs
function isArrayBufferLike(buffer) {
  return buffer instanceof ArrayBuffer || typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
}
function ensureUint8Array(buffer) {
  if (buffer instanceof Uint8Array) {
    return buffer;
  } else if (ArrayBuffer.isView(buffer)) {
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } else if (isArrayBufferLike(buffer)) {
    return new Uint8Array(buffer);
  } else {
    return Uint8Array.from(buffer);
  }
}

// node_modules/@msgpack/msgpack/dist.esm/Encoder.mjs
var DEFAULT_MAX_DEPTH = 100;
var DEFAULT_INITIAL_BUFFER_SIZE = 2048;
var Encoder = class _Encoder {
  extensionCodec;
  context;
  useBigInt64;
  maxDepth;
  initialBufferSize;
  sortKeys;
  forceFloat32;
  ignoreUndefined;
  forceIntegerToFloat;
  pos;
  view;
  bytes;
  entered = false;
  constructor(options) {
    this.extensionCodec = options?.extensionCodec ?? ExtensionCodec.defaultCodec;
    this.context = options?.context;
    this.useBigInt64 = options?.useBigInt64 ?? false;
    this.maxDepth = options?.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.initialBufferSize = options?.initialBufferSize ?? DEFAULT_INITIAL_BUFFER_SIZE;
    this.sortKeys = options?.sortKeys ?? false;
    this.forceFloat32 = options?.forceFloat32 ?? false;
    this.ignoreUndefined = options?.ignoreUndefined ?? false;
    this.forceIntegerToFloat = options?.forceIntegerToFloat ?? false;
    this.pos = 0;
    this.view = new DataView(new ArrayBuffer(this.initialBufferSize));
    this.bytes = new Uint8Array(this.view.buffer);
  }
  clone() {
    return new _Encoder({
      extensionCodec: this.extensionCodec,
      context: this.context,
      useBigInt64: this.useBigInt64,
      maxDepth: this.maxDepth,
      initialBufferSize: this.initialBufferSize,
      sortKeys: this.sortKeys,
      forceFloat32: this.forceFloat32,
      ignoreUndefined: this.ignoreUndefined,
      forceIntegerToFloat: this.forceIntegerToFloat
    });
  }
  reinitializeState() {
    this.pos = 0;
  }
  /**
   * This is almost equivalent to {@link Encoder#encode}, but it returns an reference of the encoder's internal buffer and thus much faster than {@link Encoder#encode}.
   *
   * @returns Encodes the object and returns a shared reference the encoder's internal buffer.
   */
  encodeSharedRef(object) {
    if (this.entered) {
      const instance = this.clone();
      return instance.encodeSharedRef(object);
    }
    try {
      this.entered = true;
      this.reinitializeState();
      this.doEncode(object, 1);
      return this.bytes.subarray(0, this.pos);
    } finally {
      this.entered = false;
    }
  }
  /**
   * @returns Encodes the object and returns a copy of the encoder's internal buffer.
   */
  encode(object) {
    if (this.entered) {
      const instance = this.clone();
      return instance.encode(object);
    }
    try {
      this.entered = true;
      this.reinitializeState();
      this.doEncode(object, 1);
      return this.bytes.slice(0, this.pos);
    } finally {
      this.entered = false;
    }
  }
  doEncode(object, depth) {
    if (depth > this.maxDepth) {
      throw new Error(`Too deep objects in depth ${depth}`);
    }
    if (object == null) {
      this.encodeNil();
    } else if (typeof object === "boolean") {
      this.encodeBoolean(object);
    } else if (typeof object === "number") {
      if (!this.forceIntegerToFloat) {
        this.encodeNumber(object);
      } else {
        this.encodeNumberAsFloat(object);
      }
    } else if (typeof object === "string") {
      this.encodeString(object);
    } else if (this.useBigInt64 && typeof object === "bigint") {
      this.encodeBigInt64(object);
    } else {
      this.encodeObject(object, depth);
    }
  }
  ensureBufferSizeToWrite(sizeToWrite) {
    const requiredSize = this.pos + sizeToWrite;
    if (this.view.byteLength < requiredSize) {
      this.resizeBuffer(requiredSize * 2);
    }
  }
  resizeBuffer(newSize) {
    const newBuffer = new ArrayBuffer(newSize);
    const newBytes = new Uint8Array(newBuffer);
    const newView = new DataView(newBuffer);
    newBytes.set(this.bytes);
    this.view = newView;
    this.bytes = newBytes;
  }
  encodeNil() {
    this.writeU8(192);
  }
  encodeBoolean(object) {
    if (object === false) {
      this.writeU8(194);
    } else {
      this.writeU8(195);
    }
  }
  encodeNumber(object) {
    if (!this.forceIntegerToFloat && Number.isSafeInteger(object)) {
      if (object >= 0) {
        if (object < 128) {
          this.writeU8(object);
        } else if (object < 256) {
          this.writeU8(204);
          this.writeU8(object);
        } else if (object < 65536) {
          this.writeU8(205);
          this.writeU16(object);
        } else if (object < 4294967296) {
          this.writeU8(206);
          this.writeU32(object);
        } else if (!this.useBigInt64) {
          this.writeU8(207);
          this.writeU64(object);
        } else {
          this.encodeNumberAsFloat(object);
        }
      } else {
        if (object >= -32) {
          this.writeU8(224 | object + 32);
        } else if (object >= -128) {
          this.writeU8(208);
          this.writeI8(object);
        } else if (object >= -32768) {
          this.writeU8(209);
          this.writeI16(object);
        } else if (object >= -2147483648) {
          this.writeU8(210);
          this.writeI32(object);
        } else if (!this.useBigInt64) {
          this.writeU8(211);
          this.writeI64(object);
        } else {
          this.encodeNumberAsFloat(object);
        }
      }
    } else {
      this.encodeNumberAsFloat(object);
    }
  }
  encodeNumberAsFloat(object) {
    if (this.forceFloat32) {
      this.writeU8(202);
      this.writeF32(object);
    } else {
      this.writeU8(203);
      this.writeF64(object);
    }
  }
  encodeBigInt64(object) {
    if (object >= BigInt(0)) {
      this.writeU8(207);
      this.writeBigUint64(object);
    } else {
      this.writeU8(211);
      this.writeBigInt64(object);
    }
  }
  writeStringHeader(byteLength) {
    if (byteLength < 32) {
      this.writeU8(160 + byteLength);
    } else if (byteLength < 256) {
      this.writeU8(217);
      this.writeU8(byteLength);
    } else if (byteLength < 65536) {
      this.writeU8(218);
      this.writeU16(byteLength);
    } else if (byteLength < 4294967296) {
      this.writeU8(219);
      this.writeU32(byteLength);
    } else {
      throw new Error(`Too long string: ${byteLength} bytes in UTF-8`);
    }
  }
  encodeString(object) {
    const maxHeaderSize = 1 + 4;
    const byteLength = utf8Count(object);
    this.ensureBufferSizeToWrite(maxHeaderSize + byteLength);
    this.writeStringHeader(byteLength);
    utf8Encode(object, this.bytes, this.pos);
    this.pos += byteLength;
  }
  encodeObject(object, depth) {
    const ext = this.extensionCodec.tryToEncode(object, this.context);
    if (ext != null) {
      this.encodeExtension(ext);
    } else if (Array.isArray(object)) {
      this.encodeArray(object, depth);
    } else if (ArrayBuffer.isView(object)) {
      this.encodeBinary(object);
    } else if (typeof object === "object") {
      this.encodeMap(object, depth);
    } else {
      throw new Error(`Unrecognized object: ${Object.prototype.toString.apply(object)}`);
    }
  }
  encodeBinary(object) {
    const size = object.byteLength;
    if (size < 256) {
      this.writeU8(196);
      this.writeU8(size);
    } else if (size < 65536) {
      this.writeU8(197);
      this.writeU16(size);
    } else if (size < 4294967296) {
      this.writeU8(198);
      this.writeU32(size);
    } else {
      throw new Error(`Too large binary: ${size}`);
    }
    const bytes = ensureUint8Array(object);
    this.writeU8a(bytes);
  }
  encodeArray(object, depth) {
    const size = object.length;
    if (size < 16) {
      this.writeU8(144 + size);
    } else if (size < 65536) {
      this.writeU8(220);
      this.writeU16(size);
    } else if (size < 4294967296) {
      this.writeU8(221);
      this.writeU32(size);
    } else {
      throw new Error(`Too large array: ${size}`);
    }
    for (const item of object) {
      this.doEncode(item, depth + 1);
    }
  }
  countWithoutUndefined(object, keys) {
    let count = 0;
    for (const key2 of keys) {
      if (object[key2] !== void 0) {
        count++;
      }
    }
    return count;
  }
  encodeMap(object, depth) {
    const keys = Object.keys(object);
    if (this.sortKeys) {
      keys.sort();
    }
    const size = this.ignoreUndefined ? this.countWithoutUndefined(object, keys) : keys.length;
    if (size < 16) {
      this.writeU8(128 + size);
    } else if (size < 65536) {
      this.writeU8(222);
      this.writeU16(size);
    } else if (size < 4294967296) {
      this.writeU8(223);
      this.writeU32(size);
    } else {
      throw new Error(`Too large map object: ${size}`);
    }
    for (const key2 of keys) {
      const value = object[key2];
      if (!(this.ignoreUndefined && value === void 0)) {
        this.encodeString(key2);
        this.doEncode(value, depth + 1);
      }
    }
  }
  encodeExtension(ext) {
    if (typeof ext.data === "function") {
      const data = ext.data(this.pos + 6);
      const size2 = data.length;
      if (size2 >= 4294967296) {
        throw new Error(`Too large extension object: ${size2}`);
      }
      this.writeU8(201);
      this.writeU32(size2);
      this.writeI8(ext.type);
      this.writeU8a(data);
      return;
    }
    const size = ext.data.length;
    if (size === 1) {
      this.writeU8(212);
    } else if (size === 2) {
      this.writeU8(213);
    } else if (size === 4) {
      this.writeU8(214);
    } else if (size === 8) {
      this.writeU8(215);
    } else if (size === 16) {
      this.writeU8(216);
    } else if (size < 256) {
      this.writeU8(199);
      this.writeU8(size);
    } else if (size < 65536) {
      this.writeU8(200);
      this.writeU16(size);
    } else if (size < 4294967296) {
      this.writeU8(201);
      this.writeU32(size);
    } else {
      throw new Error(`Too large extension object: ${size}`);
    }
    this.writeI8(ext.type);
    this.writeU8a(ext.data);
  }
  writeU8(value) {
    this.ensureBufferSizeToWrite(1);
    this.view.setUint8(this.pos, value);
    this.pos++;
  }
  writeU8a(values) {
    const size = values.length;
    this.ensureBufferSizeToWrite(size);
    this.bytes.set(values, this.pos);
    this.pos += size;
  }
  writeI8(value) {
    this.ensureBufferSizeToWrite(1);
    this.view.setInt8(this.pos, value);
    this.pos++;
  }
  writeU16(value) {
    this.ensureBufferSizeToWrite(2);
    this.view.setUint16(this.pos, value);
    this.pos += 2;
  }
  writeI16(value) {
    this.ensureBufferSizeToWrite(2);
    this.view.setInt16(this.pos, value);
    this.pos += 2;
  }
  writeU32(value) {
    this.ensureBufferSizeToWrite(4);
    this.view.setUint32(this.pos, value);
    this.pos += 4;
  }
  writeI32(value) {
    this.ensureBufferSizeToWrite(4);
    this.view.setInt32(this.pos, value);
    this.pos += 4;
  }
  writeF32(value) {
    this.ensureBufferSizeToWrite(4);
    this.view.setFloat32(this.pos, value);
    this.pos += 4;
  }
  writeF64(value) {
    this.ensureBufferSizeToWrite(8);
    this.view.setFloat64(this.pos, value);
    this.pos += 8;
  }
  writeU64(value) {
    this.ensureBufferSizeToWrite(8);
    setUint64(this.view, this.pos, value);
    this.pos += 8;
  }
  writeI64(value) {
    this.ensureBufferSizeToWrite(8);
    setInt64(this.view, this.pos, value);
    this.pos += 8;
  }
  writeBigUint64(value) {
    this.ensureBufferSizeToWrite(8);
    this.view.setBigUint64(this.pos, value);
    this.pos += 8;
  }
  writeBigInt64(value) {
    this.ensureBufferSizeToWrite(8);
    this.view.setBigInt64(this.pos, value);
    this.pos += 8;
  }
};

// node_modules/@msgpack/msgpack/dist.esm/utils/prettyByte.mjs
function prettyByte(byte) {
  return `${byte < 0 ? "-" : ""}0x${Math.abs(byte).toString(16).padStart(2, "0")}`;
}

// node_modules/@msgpack/msgpack/dist.esm/CachedKeyDecoder.mjs
var DEFAULT_MAX_KEY_LENGTH = 16;
var DEFAULT_MAX_LENGTH_PER_KEY = 16;
var CachedKeyDecoder = class {
  hit = 0;
  miss = 0;
  caches;
  maxKeyLength;
  maxLengthPerKey;
  constructor(maxKeyLength = DEFAULT_MAX_KEY_LENGTH, maxLengthPerKey = DEFAULT_MAX_LENGTH_PER_KEY) {
    this.maxKeyLength = maxKeyLength;
    this.maxLengthPerKey = maxLengthPerKey;
    this.caches = [];
    for (let i = 0; i < this.maxKeyLength; i++) {
      this.caches.push([]);
    }
  }
  canBeCached(byteLength) {
    return byteLength > 0 && byteLength <= this.maxKeyLength;
  }
  find(bytes, inputOffset, byteLength) {
    const records = this.caches[byteLength - 1];
    FIND_CHUNK: for (const record of records) {
      const recordBytes = record.bytes;
      for (let j = 0; j < byteLength; j++) {
        if (recordBytes[j] !== bytes[inputOffset + j]) {
          continue FIND_CHUNK;
        }
      }
      return record.str;
    }
    return null;
  }
  store(bytes, value) {
    const records = this.caches[bytes.length - 1];
    const record = { bytes, str: value };
    if (records.length >= this.maxLengthPerKey) {
      records[Math.random() * records.length | 0] = record;
    } else {
      records.push(record);
    }
  }
  decode(bytes, inputOffset, byteLength) {
    const cachedValue = this.find(bytes, inputOffset, byteLength);
    if (cachedValue != null) {
      this.hit++;
      return cachedValue;
    }
    this.miss++;
    const str = utf8DecodeJs(bytes, inputOffset, byteLength);
    const slicedCopyOfBytes = Uint8Array.prototype.slice.call(bytes, inputOffset, inputOffset + byteLength);
    this.store(slicedCopyOfBytes, str);
    return str;
  }
};

// node_modules/@msgpack/msgpack/dist.esm/Decoder.mjs
var STATE_ARRAY = "array";
var STATE_MAP_KEY = "map_key";
var STATE_MAP_VALUE = "map_value";
var mapKeyConverter = (key2) => {
  if (typeof key2 === "string" || typeof key2 === "number") {
    return key2;
  }
  throw new DecodeError("The type of key must be string or number but " + typeof key2);
};
var StackPool = class {
  stack = [];
  stackHeadPosition = -1;
  get length() {
    return this.stackHeadPosition + 1;
  }
  top() {
    return this.stack[this.stackHeadPosition];
  }
  pushArrayState(size) {
    const state = this.getUninitializedStateFromPool();
    state.type = STATE_ARRAY;
    state.position = 0;
    state.size = size;
    state.array = new Array(size);
  }
  pushMapState(size) {
    const state = this.getUninitializedStateFromPool();
    state.type = STATE_MAP_KEY;
    state.readCount = 0;
    state.size = size;
    state.map = {};
  }
  getUninitializedStateFromPool() {
    this.stackHeadPosition++;
    if (this.stackHeadPosition === this.stack.length) {
      const partialState = {
        type: void 0,
        size: 0,
        array: void 0,
        position: 0,
        readCount: 0,
        map: void 0,
        key: null
      };
      this.stack.push(partialState);
    }
    return this.stack[this.stackHeadPosition];
  }
  release(state) {
    const topStackState = this.stack[this.stackHeadPosition];
    if (topStackState !== state) {
      throw new Error("Invalid stack state. Released state is not on top of the stack.");
    }
    if (state.type === STATE_ARRAY) {
      const partialState = state;
      partialState.size = 0;
      partialState.array = void 0;
      partialState.position = 0;
      partialState.type = void 0;
    }
    if (state.type === STATE_MAP_KEY || state.type === STATE_MAP_VALUE) {
      const partialState = state;
      partialState.size = 0;
      partialState.map = void 0;
      partialState.readCount = 0;
      partialState.type = void 0;
    }
    this.stackHeadPosition--;
  }
  reset() {
    this.stack.length = 0;
    this.stackHeadPosition = -1;
  }
};
var HEAD_BYTE_REQUIRED = -1;
var EMPTY_VIEW = new DataView(new ArrayBuffer(0));
var EMPTY_BYTES = new Uint8Array(EMPTY_VIEW.buffer);
try {
  EMPTY_VIEW.getInt8(0);
} catch (e) {
  if (!(e instanceof RangeError)) {
    throw new Error("This module is not supported in the current JavaScript engine because DataView does not throw RangeError on out-of-bounds access");
  }
}
var MORE_DATA = new RangeError("Insufficient data");
var sharedCachedKeyDecoder = new CachedKeyDecoder();
var Decoder = class _Decoder {
  extensionCodec;
  context;
  useBigInt64;
  rawStrings;
  maxStrLength;
  maxBinLength;
  maxArrayLength;
  maxMapLength;
  maxExtLength;
  keyDecoder;
  mapKeyConverter;
  totalPos = 0;
  pos = 0;
  view = EMPTY_VIEW;
  bytes = EMPTY_BYTES;
  headByte = HEAD_BYTE_REQUIRED;
  stack = new StackPool();
  entered = false;
  constructor(options) {
    this.extensionCodec = options?.extensionCodec ?? ExtensionCodec.defaultCodec;
    this.context = options?.context;
    this.useBigInt64 = options?.useBigInt64 ?? false;
    this.rawStrings = options?.rawStrings ?? false;
    this.maxStrLength = options?.maxStrLength ?? UINT32_MAX;
    this.maxBinLength = options?.maxBinLength ?? UINT32_MAX;
    this.maxArrayLength = options?.maxArrayLength ?? UINT32_MAX;
    this.maxMapLength = options?.maxMapLength ?? UINT32_MAX;
    this.maxExtLength = options?.maxExtLength ?? UINT32_MAX;
    this.keyDecoder = options?.keyDecoder !== void 0 ? options.keyDecoder : sharedCachedKeyDecoder;
    this.mapKeyConverter = options?.mapKeyConverter ?? mapKeyConverter;
  }
  clone() {
    return new _Decoder({
      extensionCodec: this.extensionCodec,
      context: this.context,
      useBigInt64: this.useBigInt64,
      rawStrings: this.rawStrings,
      maxStrLength: this.maxStrLength,
      maxBinLength: this.maxBinLength,
      maxArrayLength: this.maxArrayLength,
      maxMapLength: this.maxMapLength,
      maxExtLength: this.maxExtLength,
      keyDecoder: this.keyDecoder
    });
  }
  reinitializeState() {
    this.totalPos = 0;
    this.headByte = HEAD_BYTE_REQUIRED;
    this.stack.reset();
  }
  setBuffer(buffer) {
    const bytes = ensureUint8Array(buffer);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = 0;
  }
  appendBuffer(buffer) {
    if (this.headByte === HEAD_BYTE_REQUIRED && !this.hasRemaining(1)) {
      this.setBuffer(buffer);
    } else {
      const remainingData = this.bytes.subarray(this.pos);
      const newData = ensureUint8Array(buffer);
      const newBuffer = new Uint8Array(remainingData.length + newData.length);
      newBuffer.set(remainingData);
      newBuffer.set(newData, remainingData.length);
      this.setBuffer(newBuffer);
    }
  }
  hasRemaining(size) {
    return this.view.byteLength - this.pos >= size;
  }
  createExtraByteError(posToShow) {
    const { view, pos } = this;
    return new RangeError(`Extra ${view.byteLength - pos} of ${view.byteLength} byte(s) found at buffer[${posToShow}]`);
  }
  /**
   * @throws {@link DecodeError}
   * @throws {@link RangeError}
   */
  decode(buffer) {
    if (this.entered) {
      const instance = this.clone();
      return instance.decode(buffer);
    }
    try {
      this.entered = true;
      this.reinitializeState();
      this.setBuffer(buffer);
      const object = this.doDecodeSync();
      if (this.hasRemaining(1)) {
        throw this.createExtraByteError(this.pos);
      }
      return object;
    } finally {
      this.entered = false;
    }
  }
  *decodeMulti(buffer) {
    if (this.entered) {
      const instance = this.clone();
      yield* instance.decodeMulti(buffer);
      return;
    }
    try {
      this.entered = true;
      this.reinitializeState();
      this.setBuffer(buffer);
      while (this.hasRemaining(1)) {
        yield this.doDecodeSync();
      }
    } finally {
      this.entered = false;
    }
  }
  async decodeAsync(stream) {
    if (this.entered) {
      const instance = this.clone();
      return instance.decodeAsync(stream);
    }
    try {
      this.entered = true;
      let decoded = false;
      let object;
      for await (const buffer of stream) {
        if (decoded) {
          this.entered = false;
          throw this.createExtraByteError(this.totalPos);
        }
        this.appendBuffer(buffer);
        try {
          object = this.doDecodeSync();
          decoded = true;
        } catch (e) {
          if (!(e instanceof RangeError)) {
            throw e;
          }
        }
        this.totalPos += this.pos;
      }
      if (decoded) {
        if (this.hasRemaining(1)) {
          throw this.createExtraByteError(this.totalPos);
        }
        return object;
      }
      const { headByte, pos, totalPos } = this;
      throw new RangeError(`Insufficient data in parsing ${prettyByte(headByte)} at ${totalPos} (${pos} in the current buffer)`);
    } finally {
      this.entered = false;
    }
  }
  decodeArrayStream(stream) {
    return this.decodeMultiAsync(stream, true);
  }
  decodeStream(stream) {
    return this.decodeMultiAsync(stream, false);
  }
  async *decodeMultiAsync(stream, isArray) {
    if (this.entered) {
      const instance = this.clone();
      yield* instance.decodeMultiAsync(stream, isArray);
      return;
    }
    try {
      this.entered = true;
      let isArrayHeaderRequired = isArray;
      let arrayItemsLeft = -1;
      for await (const buffer of stream) {
        if (isArray && arrayItemsLeft === 0) {
          throw this.createExtraByteError(this.totalPos);
        }
        this.appendBuffer(buffer);
        if (isArrayHeaderRequired) {
          arrayItemsLeft = this.readArraySize();
          isArrayHeaderRequired = false;
          this.complete();
        }
        try {
          while (true) {
            yield this.doDecodeSync();
            if (--arrayItemsLeft === 0) {
              break;
            }
          }
        } catch (e) {
          if (!(e instanceof RangeError)) {
            throw e;
          }
        }
        this.totalPos += this.pos;
      }
    } finally {
      this.entered = false;
    }
  }
  doDecodeSync() {
    DECODE: while (true) {
      const headByte = this.readHeadByte();
      let object;
      if (headByte >= 224) {
        object = headByte - 256;
      } else if (headByte < 192) {
        if (headByte < 128) {
          object = headByte;
        } else if (headByte < 144) {
          const size = headByte - 128;
          if (size !== 0) {
            this.pushMapState(size);
            this.complete();
            continue DECODE;
          } else {
            object = {};
          }
        } else if (headByte < 160) {
          const size = headByte - 144;
          if (size !== 0) {
            this.pushArrayState(size);
            this.complete();
            continue DECODE;
          } else {
            object = [];
          }
        } else {
          const byteLength = headByte - 160;
          object = this.decodeString(byteLength, 0);
        }
      } else if (headByte === 192) {
        object = null;
      } else if (headByte === 194) {
        object = false;
      } else if (headByte === 195) {
        object = true;
      } else if (headByte === 202) {
        object = this.readF32();
      } else if (headByte === 203) {
        object = this.readF64();
      } else if (headByte === 204) {
        object = this.readU8();
      } else if (headByte === 205) {
        object = this.readU16();
      } else if (headByte === 206) {
        object = this.readU32();
      } else if (headByte === 207) {
        if (this.useBigInt64) {
          object = this.readU64AsBigInt();
        } else {
          object = this.readU64();
        }
      } else if (headByte === 208) {
        object = this.readI8();
      } else if (headByte === 209) {
        object = this.readI16();
      } else if (headByte === 210) {
        object = this.readI32();
      } else if (headByte === 211) {
        if (this.useBigInt64) {
          object = this.readI64AsBigInt();
        } else {
          object = this.readI64();
        }
      } else if (headByte === 217) {
        const byteLength = this.lookU8();
        object = this.decodeString(byteLength, 1);
      } else if (headByte === 218) {
        const byteLength = this.lookU16();
        object = this.decodeString(byteLength, 2);
      } else if (headByte === 219) {
        const byteLength = this.lookU32();
        object = this.decodeString(byteLength, 4);
      } else if (headByte === 220) {
        const size = this.readU16();
        if (size !== 0) {
          this.pushArrayState(size);
          this.complete();
          continue DECODE;
        } else {
          object = [];
        }
      } else if (headByte === 221) {
        const size = this.readU32();
        if (size !== 0) {
          this.pushArrayState(size);
          this.complete();
          continue DECODE;
        } else {
          object = [];
        }
      } else if (headByte === 222) {
        const size = this.readU16();
        if (size !== 0) {
          this.pushMapState(size);
          this.complete();
          continue DECODE;
        } else {
          object = {};
        }
      } else if (headByte === 223) {
        const size = this.readU32();
        if (size !== 0) {
          this.pushMapState(size);
          this.complete();
          continue DECODE;
        } else {
          object = {};
        }
      } else if (headByte === 196) {
        const size = this.lookU8();
        object = this.decodeBinary(size, 1);
      } else if (headByte === 197) {
        const size = this.lookU16();
        object = this.decodeBinary(size, 2);
      } else if (headByte === 198) {
        const size = this.lookU32();
        object = this.decodeBinary(size, 4);
      } else if (headByte === 212) {
        object = this.decodeExtension(1, 0);
      } else if (headByte === 213) {
        object = this.decodeExtension(2, 0);
      } else if (headByte === 214) {
        object = this.decodeExtension(4, 0);
      } else if (headByte === 215) {
        object = this.decodeExtension(8, 0);
      } else if (headByte === 216) {
        object = this.decodeExtension(16, 0);
      } else if (headByte === 199) {
        const size = this.lookU8();
        object = this.decodeExtension(size, 1);
      } else if (headByte === 200) {
        const size = this.lookU16();
        object = this.decodeExtension(size, 2);
      } else if (headByte === 201) {
        const size = this.lookU32();
        object = this.decodeExtension(size, 4);
      } else {
        throw new DecodeError(`Unrecognized type byte: ${prettyByte(headByte)}`);
      }
      this.complete();
      const stack = this.stack;
      while (stack.length > 0) {
        const state = stack.top();
        if (state.type === STATE_ARRAY) {
          state.array[state.position] = object;
          state.position++;
          if (state.position === state.size) {
            object = state.array;
            stack.release(state);
          } else {
            continue DECODE;
          }
        } else if (state.type === STATE_MAP_KEY) {
          if (object === "__proto__") {
            throw new DecodeError("The key __proto__ is not allowed");
          }
          state.key = this.mapKeyConverter(object);
          state.type = STATE_MAP_VALUE;
          continue DECODE;
        } else {
          state.map[state.key] = object;
          state.readCount++;
          if (state.readCount === state.size) {
            object = state.map;
            stack.release(state);
          } else {
            state.key = null;
            state.type = STATE_MAP_KEY;
            continue DECODE;
          }
        }
      }
      return object;
    }
  }
  readHeadByte() {
    if (this.headByte === HEAD_BYTE_REQUIRED) {
      this.headByte = this.readU8();
    }
    return this.headByte;
  }
  complete() {
    this.headByte = HEAD_BYTE_REQUIRED;
  }
  readArraySize() {
    const headByte = this.readHeadByte();
    switch (headByte) {
      case 220:
        return this.readU16();
      case 221:
        return this.readU32();
      default: {
        if (headByte < 160) {
          return headByte - 144;
        } else {
          throw new DecodeError(`Unrecognized array type byte: ${prettyByte(headByte)}`);
        }
      }
    }
  }
  pushMapState(size) {
    if (size > this.maxMapLength) {
      throw new DecodeError(`Max length exceeded: map length (${size}) > maxMapLengthLength (${this.maxMapLength})`);
    }
    this.stack.pushMapState(size);
  }
  pushArrayState(size) {
    if (size > this.maxArrayLength) {
      throw new DecodeError(`Max length exceeded: array length (${size}) > maxArrayLength (${this.maxArrayLength})`);
    }
    this.stack.pushArrayState(size);
  }
  decodeString(byteLength, headerOffset) {
    if (!this.rawStrings || this.stateIsMapKey()) {
      return this.decodeUtf8String(byteLength, headerOffset);
    }
    return this.decodeBinary(byteLength, headerOffset);
  }
  /**
   * @throws {@link RangeError}
   */
  decodeUtf8String(byteLength, headerOffset) {
    if (byteLength > this.maxStrLength) {
      throw new DecodeError(`Max length exceeded: UTF-8 byte length (${byteLength}) > maxStrLength (${this.maxStrLength})`);
    }
    if (this.bytes.byteLength < this.pos + headerOffset + byteLength) {
      throw MORE_DATA;
    }
    const offset = this.pos + headerOffset;
    let object;
    if (this.stateIsMapKey() && this.keyDecoder?.canBeCached(byteLength)) {
      object = this.keyDecoder.decode(this.bytes, offset, byteLength);
    } else {
      object = utf8Decode(this.bytes, offset, byteLength);
    }
    this.pos += headerOffset + byteLength;
    return object;
  }
  stateIsMapKey() {
    if (this.stack.length > 0) {
      const state = this.stack.top();
      return state.type === STATE_MAP_KEY;
    }
    return false;
  }
  /**
   * @throws {@link RangeError}
   */
  decodeBinary(byteLength, headOffset) {
    if (byteLength > this.maxBinLength) {
      throw new DecodeError(`Max length exceeded: bin length (${byteLength}) > maxBinLength (${this.maxBinLength})`);
    }
    if (!this.hasRemaining(byteLength + headOffset)) {
      throw MORE_DATA;
    }
    const offset = this.pos + headOffset;
    const object = this.bytes.subarray(offset, offset + byteLength);
    this.pos += headOffset + byteLength;
    return object;
  }
  decodeExtension(size, headOffset) {
    if (size > this.maxExtLength) {
      throw new DecodeError(`Max length exceeded: ext length (${size}) > maxExtLength (${this.maxExtLength})`);
    }
    const extType = this.view.getInt8(this.pos + headOffset);
    const data = this.decodeBinary(
      size,
      headOffset + 1
      /* extType */
    );
    return this.extensionCodec.decode(data, extType, this.context);
  }
  lookU8() {
    return this.view.getUint8(this.pos);
  }
  lookU16() {
    return this.view.getUint16(this.pos);
  }
  lookU32() {
    return this.view.getUint32(this.pos);
  }
  readU8() {
    const value = this.view.getUint8(this.pos);
    this.pos++;
    return value;
  }
  readI8() {
    const value = this.view.getInt8(this.pos);
    this.pos++;
    return value;
  }
  readU16() {
    const value = this.view.getUint16(this.pos);
    this.pos += 2;
    return value;
  }
  readI16() {
    const value = this.view.getInt16(this.pos);
    this.pos += 2;
    return value;
  }
  readU32() {
    const value = this.view.getUint32(this.pos);
    this.pos += 4;
    return value;
  }
  readI32() {
    const value = this.view.getInt32(this.pos);
    this.pos += 4;
    return value;
  }
  readU64() {
    const value = getUint64(this.view, this.pos);
    this.pos += 8;
    return value;
  }
  readI64() {
    const value = getInt64(this.view, this.pos);
    this.pos += 8;
    return value;
  }
  readU64AsBigInt() {
    const value = this.view.getBigUint64(this.pos);
    this.pos += 8;
    return value;
  }
  readI64AsBigInt() {
    const value = this.view.getBigInt64(this.pos);
    this.pos += 8;
    return value;
  }
  readF32() {
    const value = this.view.getFloat32(this.pos);
    this.pos += 4;
    return value;
  }
  readF64() {
    const value = this.view.getFloat64(this.pos);
    this.pos += 8;
    return value;
  }
};

// node_modules/@msgpack/msgpack/dist.esm/decode.mjs
function decode(buffer, options) {
  const decoder = new Decoder(options);
  return decoder.decode(buffer);
}

// src/errors.ts
var PalaverError = class extends Error {
  get name() {
    return this.constructor.name;
  }
};
var Rejected = class extends PalaverError {
  code;
  /** The same command may succeed later, unchanged. */
  retryable;
  /** Milliseconds to wait before that, where the server says so. */
  retryAfter;
  /** `details.field` names the offending field, where there is one. */
  details;
  /** What to tell the operator. */
  correlation;
  constructor(error) {
    super(error.message ?? error.code ?? "rejected");
    this.code = error.code ?? "INTERNAL";
    this.retryable = error.retryable ?? false;
    this.retryAfter = error.retry_after === void 0 ? void 0 : error.retry_after * 1e3;
    this.details = error.details ?? {};
    this.correlation = error.correlation;
  }
  /** The no leaves open what became of the command. */
  get mayHaveHappened() {
    return this.code === "UNAVAILABLE" || this.code === "INTERNAL";
  }
};
var BadFrame = class extends PalaverError {
};
var NoAnswer = class extends PalaverError {
  constructor(message, again2, sent) {
    super(`${again2[0]}: ${message}`);
    this.sent = sent;
    this.again = again2;
  }
  sent;
  again;
};
var CallTimeout = class extends NoAnswer {
  constructor(again2, sent) {
    super("no answer in time", again2, sent);
  }
};
var ConnectionLost = class extends NoAnswer {
  constructor(again2) {
    super("the connection broke before the answer came", again2, true);
  }
};
var Expired = class extends NoAnswer {
  constructor(again2, sent) {
    super("it could not be sent in time", again2, sent);
  }
};
var UploadFailed = class extends PalaverError {
  constructor(reason) {
    super(`not uploaded: ${reason}`);
    this.reason = reason;
  }
  reason;
};
var OutboxFull = class extends PalaverError {
  constructor(commands, bytes) {
    super(`the outbox is full: ${commands} commands, ${bytes} bytes`);
    this.commands = commands;
    this.bytes = bytes;
  }
  commands;
  bytes;
};
var OutboxUnusable = class extends PalaverError {
  constructor(where, reason) {
    super(`${where} cannot be used: ${reason}`);
    this.where = where;
    this.reason = reason;
  }
  where;
  reason;
};
var ClientEnded = class extends PalaverError {
};
var Refused = class extends ClientEnded {
  constructor(reason, code) {
    super(`the server refuses: ${reason}${code === void 0 ? "" : ` (${code})`}`);
    this.reason = reason;
    this.code = code;
  }
  reason;
  code;
};
var OutboxForeign = class extends ClientEnded {
  constructor(where) {
    super(`${where} holds what another user has not yet sent`);
    this.where = where;
  }
  where;
};
var ReconnectFailed = class extends ClientEnded {
  constructor(reason) {
    super(`gave up connecting: ${reason}`);
    this.reason = reason;
  }
  reason;
};
var ClientClosed = class extends ClientEnded {
  constructor() {
    super("the client is closed");
  }
};

// src/codec.ts
var SUBPROTOCOL = "palaver.v1.msgpack";
var DEFAULT_MAX_BYTES = 2 ** 20;
var MAX_DEPTH = 16;
var SURROGATES = /[\ud800-\udfff]/u;
var encoder = new Encoder({ ignoreUndefined: true });
var PROTO = "__proto__";
var text = new TextDecoder();
var careful = new Decoder({
  keyDecoder: {
    canBeCached: (length) => length === PROTO.length,
    decode(bytes, at2, length) {
      const key2 = text.decode(bytes.subarray(at2, at2 + length));
      return key2 === PROTO ? `(${PROTO})` : key2;
    }
  }
});
function encode(item) {
  check(item, 0);
  return encoder.encode(item);
}
function join(items) {
  if (items.length === 1) return items[0];
  const size = items.reduce((sum, item) => sum + item.length, 3);
  const frame = new Uint8Array(size);
  frame.set([220, items.length >> 8, items.length & 255]);
  let at2 = 3;
  for (const item of items) {
    frame.set(item, at2);
    at2 += item.length;
  }
  return frame;
}
function parse(frame) {
  const value = unpacked(frame);
  const items = Array.isArray(value) ? value : [value];
  if (items.some((item) => typeof item?.t !== "string")) throw new BadFrame("an item without t");
  return items;
}
function unpacked(frame) {
  try {
    return decode(frame);
  } catch {
    return careful.decode(frame);
  }
}
function check(value, depth) {
  if (depth > MAX_DEPTH) throw new BadFrame(`nested more than ${MAX_DEPTH} deep`);
  switch (typeof value) {
    case "string":
      if (value.includes("\0")) throw new BadFrame("a string with U+0000");
      if (SURROGATES.test(value)) throw new BadFrame("a string with half a surrogate pair");
      return;
    case "number":
      if (!Number.isFinite(value)) throw new BadFrame("a number that is not finite");
      return;
    case "boolean":
    case "undefined":
      return;
    case "object":
      if (value === null) return;
      if (Array.isArray(value)) return value.forEach((each2) => check(each2, depth + 1));
      if (isPlain(value)) {
        for (const [key2, each2] of Object.entries(value)) {
          if (key2 === PROTO) throw new BadFrame(`the key ${PROTO}`);
          check(key2, depth);
          check(each2, depth + 1);
        }
        return;
      }
  }
  throw new BadFrame("a value that is neither null, boolean, number, string, array nor map");
}
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

// src/generated.ts
var VERSION = 1;
var MAX_ITEMS = 256;
var DURABLE = /* @__PURE__ */ new Set([
  "conversation.change_settings",
  "conversation.create",
  "conversation.leave",
  "conversation.lock",
  "conversation.rename",
  "conversation.unlock",
  "member.add",
  "member.remove",
  "member.set_role",
  "message.delete",
  "message.edit",
  "message.forward",
  "message.pin",
  "message.restore",
  "message.send",
  "message.unpin",
  "poll.vote",
  "reaction.set",
  "template.send"
]);
var DISCONNECTS = {
  1e3: "bye",
  1001: "going away",
  1009: "frame too large",
  3001: "server is shutting down",
  3008: "slow consumer",
  3012: "no sign of life",
  3013: "rate limit exceeded",
  3500: "token refused or expired",
  3501: "bad frame",
  3502: "no hello in time",
  3503: "session revoked",
  3504: "too many connections of this user",
  3505: "protocol version not supported",
  3506: "no valid subscription",
  3507: "forbidden"
};

// src/calls.ts
var FRAME_BYTES = 65536;
var ARRAY_HEAD = 3;
var WINDOW = 32;
var isDurable = (name) => DURABLE.has(name);
var Calls = class {
  #clock;
  #nextId = 1;
  #open = /* @__PURE__ */ new Map();
  #queue = [];
  #inFlight = /* @__PURE__ */ new Set();
  #over;
  #maxBytes = DEFAULT_MAX_BYTES;
  #write;
  #due = false;
  constructor(clock) {
    this.#clock = clock;
  }
  get inFlight() {
    return this.#inFlight.size > 0;
  }
  /** The `ok` of the Reply. Rejects with `Rejected`, `NoAnswer` or `ClientEnded`.
   *
   * `payload` is kept up to date: after a repetition it says so. */
  async perform(name, payload, how = {}) {
    if (this.#over !== void 0) throw this.#over();
    const { conversation, timeout = Infinity, then } = how;
    const id = this.#nextId++;
    const item = this.encode(id, name, payload, conversation);
    return new Promise((succeed, fail) => {
      const cancel = this.#clock.after(timeout, () => {
        this.#close(id);
        const again2 = { ...payload, ...repetition(call) };
        fail(new CallTimeout([name, again2, conversation], call.sent > 0));
      });
      const call = {
        ...{ id, name, payload, conversation, then, item, sent: 0 },
        succeed: (ok) => (cancel(), succeed(ok)),
        fail: (error) => (cancel(), fail(error))
      };
      this.#open.set(id, call);
      this.#enqueue(call);
    });
  }
  /** Write `item`, to which there is no Reply, on this connection or never; whether there is one. */
  post(item) {
    if (this.#write === void 0) return false;
    this.#enqueue(encode(item));
    return true;
  }
  hello(payload) {
    return encode({ t: "hello", id: this.#nextId++, v: VERSION, d: payload });
  }
  /** A Reply has arrived. One that nobody waits for any more is passed over. */
  reply(item) {
    const call = this.#close(item.id);
    if (call === void 0) return;
    if (item.error !== void 0) return call.fail(new Rejected(item.error));
    const ok = item.ok ?? {};
    call.succeed(ok);
    call.then?.(ok);
  }
  /** A connection is up: whatever is open is written, in the order in which it was called.
   *
   * A frame above `maxBytes` would end it for good; a call that makes one fails instead. */
  connected(maxBytes, write) {
    this.#maxBytes = maxBytes;
    this.#queue = [];
    this.#write = write;
    for (const call of [...this.#open.values()]) {
      Object.assign(call.payload, repetition(call));
      try {
        call.item = this.encode(call.id, call.name, call.payload, call.conversation);
        this.#enqueue(call);
      } catch (error) {
        this.#open.delete(call.id);
        call.fail(error);
      }
    }
  }
  /** Nothing more is written: the connection is about to end. */
  pause() {
    this.#write = void 0;
  }
  /** Calls that were written and may not be repeated fail; the others stay open. */
  disconnected() {
    this.pause();
    this.#queue = [];
    for (const id of this.#inFlight) {
      const call = this.#open.get(id);
      if (call === void 0 || isDurable(call.name)) continue;
      this.#open.delete(id);
      call.fail(new ConnectionLost([call.name, call.payload, call.conversation]));
    }
    this.#inFlight.clear();
  }
  /** There will be no other connection: all calls fail, now and later. */
  end(why) {
    this.#over = why;
    for (const call of this.#open.values()) call.fail(why());
    this.#open.clear();
    this.#inFlight.clear();
  }
  /** As an item. Throws `BadFrame` for what may not travel, `Rejected` for what is too large. */
  encode(id, name, d, c) {
    const item = encode(c === void 0 ? { t: name, id, d } : { t: name, id, c, d });
    if (item.length > this.#maxBytes) throw new Rejected({ code: "PAYLOAD_TOO_LARGE" });
    return item;
  }
  /** What is said in one go is written as one frame. */
  #enqueue(entry) {
    this.#queue.push(entry);
    this.#soon();
  }
  #soon() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      while (this.#write !== void 0) {
        const items = this.#gather();
        if (items.length === 0) return;
        this.#write(join(items));
      }
    });
  }
  #gather() {
    const items = [];
    let room = Math.min(FRAME_BYTES, this.#maxBytes) - ARRAY_HEAD;
    while (this.#queue.length > 0 && items.length < MAX_ITEMS && this.#inFlight.size < WINDOW) {
      const entry = this.#queue[0];
      const item = entry instanceof Uint8Array ? entry : entry.item;
      if (items.length > 0 && item.length > room) break;
      this.#queue.shift();
      if (!(entry instanceof Uint8Array)) {
        if (!this.#open.has(entry.id)) continue;
        entry.sent++;
        this.#inFlight.add(entry.id);
      }
      items.push(item);
      room -= item.length;
    }
    return items;
  }
  #close(id) {
    if (id === void 0) return void 0;
    if (this.#inFlight.delete(id)) this.#soon();
    const call = this.#open.get(id);
    this.#open.delete(id);
    return call;
  }
};
function repetition(call) {
  if (call.sent === 0 || !isDurable(call.name)) return {};
  return { attempt: (call.payload["attempt"] ?? 1) + 1 };
}

// src/clock.ts
var LONGEST = 2 ** 31 - 1;
var systemClock = {
  now: () => Date.now(),
  after(ms, act) {
    if (ms > LONGEST) return () => {
    };
    const timer = setTimeout(act, Math.max(ms, 0));
    return () => clearTimeout(timer);
  }
};
var Timers = class {
  constructor(clock) {
    this.clock = clock;
  }
  clock;
  #cancels = /* @__PURE__ */ new Set();
  #over = false;
  now() {
    return this.clock.now();
  }
  after(ms, act) {
    if (this.#over) return () => {
    };
    const done2 = () => {
      stop();
      this.#cancels.delete(done2);
    };
    const stop = this.clock.after(ms, () => {
      done2();
      act();
    });
    this.#cancels.add(done2);
    return done2;
  }
  end() {
    this.#over = true;
    for (const cancel of [...this.#cancels]) cancel();
  }
};
function either(...signals) {
  const over = new AbortController();
  for (const each2 of signals) {
    if (each2.aborted) over.abort(each2.reason);
    else each2.addEventListener("abort", () => over.abort(each2.reason), { signal: over.signal });
  }
  return over.signal;
}
async function within(clock, ms, signal, promise) {
  const done2 = new AbortController();
  const late = sleep(clock, ms, either(signal, done2.signal)).then(() => {
    throw signal.aborted ? signal.reason : new Error("it takes too long");
  });
  return Promise.race([promise, late]).finally(() => done2.abort());
}
function sleep(clock, ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done2 = () => {
      cancel();
      signal?.removeEventListener("abort", done2);
      resolve();
    };
    const cancel = clock.after(ms, done2);
    signal?.addEventListener("abort", done2);
  });
}

// src/calling.ts
var Calling = class {
};
function given(fields) {
  const entries = Object.entries(fields).filter(([, value]) => value !== void 0);
  return Object.fromEntries(entries);
}

// src/own-commands.ts
var OwnCommands = class extends Calling {
  /** A page of the inbox; its `next` is the cursor of the following one. */
  conversations(page = {}) {
    return this.call("conversation.list", page);
  }
  /** How one keeps this conversation: muted, pinned, archived, unread. */
  async prefer(c, preference) {
    await this.call("preference.set", preference, c);
  }
  /** Delete it from one's own inbox, with all that was said so far. */
  async hideConversation(c) {
    await this.call("conversation.hide", {}, c);
  }
  /** Delete a message for oneself. */
  async hide(c, message) {
    await this.call("message.hide", { message_id: message }, c);
  }
  async star(c, message, on = true) {
    await this.call(on ? "message.star" : "message.unstar", { message_id: message }, c);
  }
  /** One's starred messages; `before` is the `next` of the page before. */
  stars(page = {}) {
    return this.call("star.list", page);
  }
  /** What one has begun to write; an empty text lets it go. `Conversation.draft` does so. */
  async saveDraft(c, text2, options = {}) {
    await this.call("draft.save", { text: text2, ...options }, c);
  }
  /** `message` is what `message.send` would get, at `sendAt` (ms since 1970). `id` is the caller's
   * name for it: said again, it is another message or time. */
  async schedule(c, id, sendAt, message) {
    await this.call("message.schedule", { id, send_at: sendAt, message }, c);
  }
  async cancelScheduled(id) {
    await this.call("schedule.cancel", { id });
  }
  /** One's messages for later, the earliest first; `after` is the `next` of a page. */
  scheduled(page = {}) {
    return this.call("schedule.list", page);
  }
  settings() {
    return this.call("settings.get");
  }
  /** What is not given stays as it is. */
  async setSettings(settings) {
    await this.call("settings.set", settings);
  }
  /** Messages of one's conversations that match; `page` counts from 1. */
  search(query) {
    return this.call("message.search", query);
  }
  /** What may be seen of them; who is not there is left out. `people` asks by itself. */
  users(users) {
    return this.call("user.get", { users: [...users] });
  }
  /** Users to write to. */
  searchUsers(text2, options = {}) {
    return this.call("user.search", { text: text2, ...options });
  }
  /** Who is online of those with whom one shares a conversation. */
  online(page = {}) {
    return this.call("presence.list", page);
  }
  async acceptRequest(c) {
    await this.call("request.accept", {}, c);
  }
  async declineRequest(c) {
    await this.call("request.decline", {}, c);
  }
  /** Nothing passes between the two any more, but inside groups. */
  async block(user) {
    await this.call("user.block", { user });
  }
  /** What they say to one does not arrive; one may still write to them. */
  async restrict(user) {
    await this.call("user.restrict", { user });
  }
  /** Neither blocked nor restricted any more. */
  async unblock(user) {
    await this.call("user.unblock", { user });
  }
  /** Whom one keeps out, by pages in order of user id. */
  blocks(page = {}) {
    return this.call("block.list", page);
  }
};

// src/commands.ts
var Commands = class extends OwnCommands {
  /** Keep a message in the outbox, from where it is sent whenever there is a connection. */
  enqueue(c, text2, options = {}) {
    return this.enqueueCall("message.send", { text: text2, ...options }, c);
  }
  send(c, text2, options = {}) {
    return this.call("message.send", { text: text2, ...options }, c);
  }
  /** Into the direct conversation with `user`, which is made if need be. */
  sendTo(user, text2, options = {}) {
    return this.call("message.send", { text: text2, to: user, ...options });
  }
  /** `version`: only if the message still is at it (1 before any edit). */
  edit(c, message, text2, options = {}) {
    return this.call("message.edit", { message_id: message, text: text2, ...options }, c);
  }
  /** For everybody. */
  delete(c, message) {
    return this.call("message.delete", { message_id: message }, c);
  }
  /** Take a deletion back, as long as the server leaves it. */
  restore(c, message) {
    return this.call("message.restore", { message_id: message }, c);
  }
  /** A copy of a message of `c` to the conversation `to`. */
  forward(c, message, to, clientId) {
    return this.call("message.forward", given({ message_id: message, to, client_id: clientId }), c);
  }
  /** Put `emoji` on a message, or take one's own off. */
  react(c, message, emoji, on = true) {
    return this.call("reaction.set", { message_id: message, emoji, on }, c);
  }
  /** Vote for an option of a poll; null takes the vote back. */
  vote(c, message, option) {
    return this.call("poll.vote", { message_id: message, option }, c);
  }
  /** A text that the product suggests, with its gaps filled. */
  sendTemplate(c, template, variables, clientId) {
    return this.call("template.send", given({ template, variables, client_id: clientId }), c);
  }
  /** The texts that the product suggests, with the names of their gaps. */
  templates() {
    return this.call("template.list");
  }
  pin(c, message) {
    return this.call("message.pin", { message_id: message }, c);
  }
  unpin(c, message) {
    return this.call("message.unpin", { message_id: message }, c);
  }
  /** What is pinned; `before` is a seq. */
  pins(c, page = {}) {
    return this.call("pin.list", page, c);
  }
  /** Move the read mark up to `seq`, or to the end, at once; `Conversation.markRead` gathers. */
  read(c, seq) {
    return this.call("message.read", seq === void 0 ? {} : { seq }, c);
  }
  /** Who has read a message, and when. */
  readers(c, message, after, limit) {
    return this.call("message.readers", given({ message_id: message, after, limit }), c);
  }
  /** The id of the direct conversation with `user`, which may have existed before. */
  async createDirect(user) {
    const ok = await this.call("conversation.create", { kind: "direct", members: [user] });
    return ok.c;
  }
  /** The id of a new group with `members` and oneself, in the highest role. */
  async createGroup(members, title, clientId) {
    const group = { kind: "group", members: [...members] };
    const ok = await this.call(
      "conversation.create",
      given({ ...group, title, client_id: clientId })
    );
    return ok.c;
  }
  rename(c, title) {
    return this.call("conversation.rename", { title }, c);
  }
  changeSettings(c, settings) {
    return this.call("conversation.change_settings", settings, c);
  }
  /** Nobody writes there until then (ms since 1970), or for good. */
  lock(c, until) {
    return this.call("conversation.lock", given({ until }), c);
  }
  unlock(c) {
    return this.call("conversation.unlock", {}, c);
  }
  addMembers(c, users) {
    return this.call("member.add", { users: [...users] }, c);
  }
  removeMember(c, user) {
    return this.call("member.remove", { user }, c);
  }
  setRole(c, user, role) {
    return this.call("member.set_role", { user, role }, c);
  }
  /** The last admin of others must `confirm`. */
  leave(c, confirm = false) {
    return this.call("conversation.leave", confirm ? { confirm } : {}, c);
  }
  /** The conversation as it stands at `seq`: the snapshot to which later events apply. */
  get(c) {
    return this.call("conversation.get", {}, c);
  }
  /** A page of messages, oldest first; without a cursor the newest. */
  history(c, page = {}) {
    return this.call("message.history", page, c);
  }
  /** Replies in the thread under a message, oldest first. */
  thread(c, message, page = {}) {
    return this.call("thread.list", { message_id: message, ...page }, c);
  }
  /** Messages with attachments, newest first; `before` is a seq. */
  media(c, page = {}) {
    return this.call("media.list", page, c);
  }
  /** Addresses to load a message's attachments from. */
  attachments(c, message) {
    return this.call("attachment.list", { message_id: message }, c);
  }
  /** What a message said before it was edited, where the product shows it. */
  versions(c, message) {
    return this.call("message.versions", { message_id: message }, c);
  }
  members(c, page = {}) {
    return this.call("member.list", page, c);
  }
  presence(c) {
    return this.call("presence.get", { conversation: c });
  }
  /** Get typing, receipts and presence of `c`, also after a reconnect. */
  async subscribe(c) {
    await this.call("conversation.subscribe", {}, c);
  }
  async unsubscribe(c) {
    await this.call("conversation.unsubscribe", {}, c);
  }
  /** Repeat it while typing goes on; `Conversation.keystroke` does so. */
  async typing(c, on = true, thread) {
    await this.call(on ? "typing.start" : "typing.stop", given({ thread }), c);
  }
};

// src/connection.ts
var CONNECT_TIMEOUT = 1e4;
var webSocket = (url, protocols) => new WebSocket(url, protocols);
function address(url) {
  const parts2 = new URL(url);
  if (parts2.protocol !== "ws:" && parts2.protocol !== "wss:") {
    throw new TypeError(`not a WebSocket URL (wss://host/v1/ws): ${url}`);
  }
  if (parts2.pathname === "/") parts2.pathname = "/v1/ws";
  return parts2.href;
}
function httpAddress(url) {
  const parts2 = new URL(url.replace(/^ws/, "http"));
  if (parts2.port === "8765") parts2.port = "8766";
  return parts2.origin;
}
var Ended = class {
  constructor(reason, options = {}) {
    this.reason = reason;
    this.options = options;
  }
  reason;
  options;
  get final() {
    return this.options.final ?? false;
  }
};
function mayReconnect(code) {
  return code >= 3e3 ? code < 3500 : ![1002, 1003, 1007, 1009].includes(code);
}
var Connection = class _Connection {
  /** Resolves once, with why it is over. */
  ended;
  #socket;
  #items = [];
  #taker;
  #end;
  #over = new AbortController();
  constructor() {
    this.ended = new Promise((resolve) => this.#end = resolve);
  }
  /** Aborted when it is over: what belongs to the connection ends with it. */
  get over() {
    return this.#over.signal;
  }
  /** Open, or over already: then `ended` says why. It ends when this client has `left`. */
  static open(url, make, clock, left) {
    const connection = new _Connection();
    const leave = () => connection.finish(new Ended("the client left", { code: 1e3 }));
    left.addEventListener("abort", leave, { signal: connection.over });
    return new Promise((resolve) => {
      const cancel = clock.after(CONNECT_TIMEOUT, () => connection.finish("no answer"));
      const done2 = () => {
        cancel();
        resolve(connection);
      };
      void connection.ended.then(done2);
      connection.#start(url, make, done2);
    });
  }
  #start(url, make, opened2) {
    let socket;
    try {
      socket = make(url, [SUBPROTOCOL]);
    } catch (error) {
      this.finish(new Ended(String(error), { final: true }));
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      if (socket.protocol === SUBPROTOCOL) opened2();
      else this.finish(new Ended("this is no palaver server", { final: true }));
    };
    socket.onerror = () => {
    };
    socket.onclose = (event) => this.finish(closed(event));
    socket.onmessage = (event) => this.#message(event.data);
  }
  /** From now on every item goes to `taker`, those that came before first; none if undefined. */
  take(taker) {
    this.#taker = taker;
    while (this.#taker !== void 0 && this.#items.length > 0) this.#taker(this.#items.shift());
  }
  send(frame) {
    if (!this.over.aborted) this.#socket?.send(frame);
  }
  /** End it now; nothing that arrives later is heard. The first reason counts. */
  finish(why) {
    if (this.over.aborted) return;
    this.#taker = void 0;
    this.#items = [];
    this.#over.abort();
    this.#end(typeof why === "string" ? new Ended(why) : why);
    const socket = this.#socket;
    if (socket === void 0) return;
    socket.onmessage = socket.onclose = socket.onopen = null;
    socket.close(1e3);
  }
  #message(data) {
    try {
      this.#items.push(...parse(data));
    } catch {
      this.finish("the server sent something unreadable");
      return;
    }
    this.take(this.#taker);
  }
};
function closed({ code, reason }) {
  if (code === 1005 || code === 1006) return new Ended("the connection broke", { code: 1006 });
  return new Ended(reason || DISCONNECTS[code] || `closed with ${code}`, {
    code,
    final: !mayReconnect(code)
  });
}

// src/emitter.ts
var Emitter = class {
  #listeners = new globalThis.Map();
  /** What it returns takes the listener away. */
  on(name, listener) {
    let listeners = this.#listeners.get(name);
    if (listeners === void 0) this.#listeners.set(name, listeners = /* @__PURE__ */ new Set());
    const own = (value) => listener(value);
    listeners.add(own);
    return () => listeners.delete(own);
  }
  emit(name, value) {
    for (const listener of [...this.#listeners.get(name) ?? []]) {
      try {
        listener(value);
      } catch (error) {
        report(error);
      }
    }
  }
};
function report(error) {
  if (typeof reportError === "function") return reportError(error);
  queueMicrotask(() => {
    throw error;
  });
}
var Model = class {
  #emitter = new Emitter();
  #due = false;
  /** Calls `listener` after it has changed. What it returns takes the listener away. */
  onChange(listener) {
    return this.#emitter.on("change", listener);
  }
  changed() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#emitter.emit("change", void 0);
    });
  }
};

// src/personal.ts
var Personal = class extends Model {
  constructor(client) {
    super();
    this.client = client;
    const take = (kind, apply) => client.on(kind, (signal) => {
      apply(signal.data);
      this.changed();
    });
    take("preference.changed", (entry) => this.preferences.set(entry.conversation, entry));
    take("draft.saved", ({ conversation, ...draft }) => this.drafts.set(conversation, draft));
    take("draft.cleared", ({ conversation }) => this.drafts.delete(conversation));
    take("message.starred", ({ message_id }) => this.stars.add(message_id));
    take("message.unstarred", ({ message_id }) => this.stars.delete(message_id));
    take("message.hidden", ({ message_id }) => this.hidden.add(message_id));
    take("settings.changed", (entry) => this.settings = entry);
    take("block.changed", ({ user, level }) => {
      if (level === "none") this.blocks.delete(user);
      else this.blocks.set(user, level);
    });
    take("message.scheduled", (entry) => {
      if (entry.message === void 0) this.scheduled.delete(entry.id);
      else this.scheduled.set(entry.id, entry);
    });
    take("schedule.cancelled", ({ id }) => this.scheduled.delete(id));
    take("schedule.failed", ({ id }) => this.scheduled.delete(id));
    client.on("message.sent", ({ data }) => {
      if (data.by !== client.user || data.client_id === void 0) return;
      const sent = [...this.scheduled.values()].find(({ job }) => job === data.client_id);
      if (sent === void 0) return;
      this.scheduled.delete(sent.id);
      this.changed();
    });
  }
  client;
  /** By conversation. */
  preferences = /* @__PURE__ */ new Map();
  drafts = /* @__PURE__ */ new Map();
  /** Ids of messages. */
  stars = /* @__PURE__ */ new Set();
  hidden = /* @__PURE__ */ new Set();
  /** By user. */
  blocks = /* @__PURE__ */ new Map();
  /** By the id that one gave it. */
  scheduled = /* @__PURE__ */ new Map();
  /** Undefined if they were never set: see `settings.get` for the defaults. */
  settings;
  /** What has been begun in `c`: as it is kept here, if the server does not have it yet. */
  draft(c) {
    const local = this.client.store.get(draftKey(c));
    return local === void 0 ? this.drafts.get(c) : JSON.parse(local);
  }
};
var draftKey = (c) => `draft:${c}`;

// src/draft.ts
var WAIT = 2e3;
var Draft = class extends Model {
  constructor(client, c) {
    super();
    this.client = client;
    this.c = c;
    this.#unsaved = client.store.get(this.#key) !== void 0;
    const begun = client.personal.draft(c);
    this.#text = begun?.text ?? "";
    this.#replyTo = begun?.reply_to;
    this.#offs = [
      client.personal.onChange(() => this.#follow()),
      client.on("state", ({ state }) => state === "online" && this.#unsaved && this.#later())
    ];
    if (this.#unsaved) this.#later();
  }
  client;
  c;
  #text;
  #replyTo;
  #unsaved;
  #saving = false;
  #cancel;
  #offs;
  get text() {
    return this.#text;
  }
  /** Id of the message that it answers. */
  get replyTo() {
    return this.#replyTo;
  }
  set(text2, replyTo = this.#replyTo) {
    this.#put(text2, replyTo);
  }
  #put(text2, replyTo) {
    if (text2 === this.#text && replyTo === this.#replyTo) return;
    this.#text = text2;
    this.#replyTo = replyTo;
    this.#unsaved = true;
    this.client.store.set(this.#key, JSON.stringify({ text: text2, reply_to: replyTo }));
    this.#later();
    this.changed();
  }
  /** It answers another message, or none. */
  answer(replyTo) {
    this.#put(this.#text, replyTo);
  }
  /** It was sent, which clears it on the server, too. */
  sent() {
    this.#cancel?.();
    this.#cancel = void 0;
    this.#text = "";
    this.#replyTo = void 0;
    this.#unsaved = false;
    this.client.store.set(this.#key, void 0);
    this.client.personal.drafts.delete(this.c);
    this.changed();
  }
  /** Nobody looks at it any more. What is not saved yet is kept here for the next time. */
  close() {
    this.#cancel?.();
    for (const off of this.#offs) off();
  }
  get #key() {
    return draftKey(this.c);
  }
  #server() {
    return this.client.personal.drafts.get(this.c) ?? { text: "" };
  }
  /** What another device has saved, unless this one knows better. */
  #follow() {
    const { text: text2, reply_to } = this.#server();
    if (this.#unsaved || text2 === this.#text && reply_to === this.#replyTo) return;
    this.#text = text2;
    this.#replyTo = reply_to;
    this.changed();
  }
  #later() {
    if (this.#saving) return;
    this.#cancel ??= this.client.clock.after(WAIT, () => void this.#save());
  }
  async #save() {
    this.#cancel = void 0;
    const [text2, replyTo] = [this.#text, this.#replyTo];
    this.#saving = true;
    try {
      const reply = replyTo === void 0 ? {} : { reply_to: replyTo };
      await this.client.call("draft.save", { text: text2, ...reply }, this.c);
      if (this.#unsaved && text2 === this.#text && replyTo === this.#replyTo) {
        this.#unsaved = false;
        this.client.store.set(this.#key, void 0);
      }
    } catch {
      return;
    } finally {
      this.#saving = false;
    }
    if (this.#unsaved) this.#later();
  }
};

// src/expiry.ts
var Expiry = class {
  /** `over` is called when one of `messages` has come to its end. */
  constructor(clock, messages, over) {
    this.clock = clock;
    this.messages = messages;
    this.over = over;
  }
  clock;
  messages;
  over;
  #cancel = () => {
  };
  /** Call it when there are others. */
  set() {
    this.#cancel();
    const now = this.clock.now();
    const times = this.messages().map((each2) => each2.expires_at ?? Infinity);
    const next = Math.min(...times.filter((time) => time > now), Infinity);
    this.#cancel = this.clock.after(next - now, () => {
      this.over();
      this.set();
    });
  }
  stop() {
    this.#cancel();
  }
};

// src/id.ts
function newId() {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] & 15 | 64;
  bytes[8] = bytes[8] & 63 | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// src/status.ts
var ORDER = ["sending", "sent", "delivered", "read"];
function mayBecome(now, next) {
  if (next === "failed") return now === "sending";
  return now !== "failed" && ORDER.indexOf(next) > ORDER.indexOf(now);
}
function shownStatus(now, shown2) {
  if (now === "failed") return shown2.includes(now) ? now : void 0;
  return ORDER.slice(0, ORDER.indexOf(now) + 1).findLast((each2) => shown2.includes(each2));
}
function reached(seq, others) {
  let status;
  for (const marks of others) {
    if (marks.read >= seq) status ??= "read";
    else if (marks.delivered >= seq) status = "delivered";
    else return "sent";
  }
  return status ?? "sent";
}
function raise(marks, kind, seq) {
  marks[kind] = Math.max(marks[kind], seq);
  marks.delivered = Math.max(marks.delivered, marks.read);
}
var MessageStatus = class {
  now = "sending";
  #conversation;
  #seq;
  #marks;
  constructor(recipients) {
    this.#marks = new Map([...recipients].map((user) => [user, { delivered: 0, read: 0 }]));
  }
  /** What `push` says of the message that was enqueued as `outgoing`; pushes of other messages and
   * conversations say nothing, so do not filter. */
  take(push, outgoing2) {
    const here = outgoing2.conversation ?? this.#conversation;
    if (push.type === "event" && push.kind === "message.sent") {
      if (push.data.client_id === outgoing2.clientId) this.#conversation = push.conversation;
      else if (push.conversation === here && push.data.by !== void 0) {
        this.marked(push.data.by, "read", push.seq);
      }
    } else if (push.type === "sent" && push.outgoing === outgoing2) {
      this.#conversation = push.result["c"];
      this.sent(push.result["seq"]);
    } else if (push.type === "failed" && push.outgoing === outgoing2) {
      this.failed();
    } else if (push.type === "signal" && here !== void 0 && push.conversation === here) {
      if (push.kind === "message.read") this.marked(push.data.by, "read", push.data.seq);
      if (push.kind === "message.delivered") this.marked(push.data.by, "delivered", push.data.seq);
    }
    return this.now;
  }
  /** It is durable, at `seq`. */
  sent(seq) {
    this.#seq = seq;
    this.#go("sent");
    this.#follow();
  }
  /** It will not be sent. */
  failed() {
    this.#go("failed");
  }
  /** `user` has read, or holds, everything up to `seq`. */
  marked(user, kind, seq) {
    const marks = this.#marks.get(user);
    if (marks === void 0) return;
    raise(marks, kind, seq);
    this.#follow();
  }
  #follow() {
    if (this.#seq !== void 0) this.#go(reached(this.#seq, this.#marks.values()));
  }
  /** What came late, or comes again, changes nothing. */
  #go(to) {
    if (mayBecome(this.now, to)) this.now = to;
  }
};

// src/info.ts
var Info = class {
  #info;
  #marks = /* @__PURE__ */ new Map();
  constructor(info) {
    this.#info = info;
    for (const [user, { read, delivered }] of Object.entries(info.members)) {
      this.mark(user, "read", read?.seq ?? 0);
      this.mark(user, "delivered", delivered?.seq ?? 0);
    }
  }
  get now() {
    return this.#info;
  }
  /** How far a member has read, and what they hold. */
  marks(user) {
    return this.#marks.get(user);
  }
  /** Users whose mark has reached `seq`. */
  whoReached(seq, kind) {
    return [...this.#marks].filter(([, marks]) => marks[kind] >= seq).map(([user]) => user);
  }
  mark(user, kind, seq) {
    let marks = this.#marks.get(user);
    if (marks === void 0) {
      if (!(user in this.#info.members)) return;
      this.#marks.set(user, marks = { read: 0, delivered: 0 });
    }
    raise(marks, kind, seq);
  }
  /** What has become of `me`'s message at `seq`. */
  status(seq, me) {
    const all = this.#marks.size >= this.#info.member_count;
    const others = [...this.#marks].filter(([user]) => user !== me).map(([, marks]) => marks);
    return all ? reached(seq, others) : "sent";
  }
  /** Taking an event again does no harm. */
  apply(event, me) {
    const info = this.#info;
    const set = (change) => this.#info = { ...info, ...change };
    switch (event.kind) {
      case "message.sent":
        if (event.data.by !== void 0) this.mark(event.data.by, "read", event.seq);
        if (event.data.number !== void 0) set({ number: event.data.number });
        break;
      case "conversation.renamed":
        set({ title: event.data.title });
        break;
      case "conversation.settings_changed": {
        const { id: _, by: __, client_id: ___, ...changed2 } = event.data;
        set({ settings: { ...info.settings, ...changed2 } });
        break;
      }
      case "conversation.locked":
        set({ lock: { until: event.data.until ?? null } });
        break;
      case "conversation.unlocked":
        set({ lock: {} });
        break;
      case "member.added":
        this.#added(event.data.users, event.data.role, event);
        break;
      case "member.removed":
        this.#removed(event.data.user);
        break;
      case "member.role_changed": {
        const { user, role } = event.data;
        const member = info.members[user];
        if (member !== void 0)
          set({ members: { ...info.members, [user]: { ...member, role } } });
        if (user === me) this.#info = { ...this.#info, role };
        break;
      }
      case "message.pinned":
        set({ pins: { ...info.pins, [event.data.message_id]: event.data.message_seq } });
        break;
      case "message.unpinned": {
        const { [event.data.message_id]: _, ...pins } = info.pins;
        set({ pins });
        break;
      }
      case "reference.dropped":
        if (event.data.message_id === void 0) {
          const gone = Object.keys(event.data.context).map((type) => [type, null]);
          set({ context: { ...info.context, ...Object.fromEntries(gone) } });
        }
        break;
    }
  }
  #added(users, role, { seq, at: at2 }) {
    const { members, member_count } = this.#info;
    const fresh = users.filter((user) => !(user in members));
    const mark = { seq, at: at2 };
    const added = {};
    for (const user of fresh) added[user] = { role, read: mark, delivered: mark };
    this.#info = {
      ...this.#info,
      members: { ...members, ...added },
      member_count: member_count + fresh.length
    };
    for (const user of fresh) this.mark(user, "read", seq);
  }
  #removed(user) {
    const { [user]: member, ...members } = this.#info.members;
    if (member === void 0) return;
    this.#marks.delete(user);
    this.#info = { ...this.#info, members, member_count: this.#info.member_count - 1 };
  }
};

// src/messages.ts
var RECENT = 1e3;
var PREVIEW = 140;
var CONTENT = ["id", "seq", "ts", "kind", "by", "number", "thread", "context", "client_id"];
var Messages = class {
  /** `system`: whether changes of the group are shown among the messages. `grows`: whether what is
   * said from now on belongs to them; if not, only what becomes of those that are here. */
  constructor(me, system, grows = true) {
    this.me = me;
    this.system = system;
    this.grows = grows;
  }
  me;
  system;
  grows;
  #list = [];
  #recent = [];
  #provisional = /* @__PURE__ */ new Set();
  /** In order of `seq`. */
  get all() {
    return this.#list;
  }
  get(id) {
    return this.#list.find((each2) => each2.id === id);
  }
  /** Whether the event of that command is here. */
  has(clientId) {
    return this.#list.some((each2) => each2.client_id === clientId);
  }
  /** A page is as of its own `seq`: what was told since then changes what is new here. */
  show(page) {
    this.#merge(page, this.#clientIds());
  }
  /** Only the messages of `page`, and what was told since. */
  restart(page) {
    const clientIds = this.#clientIds();
    this.#list = [];
    this.#merge(page, clientIds);
  }
  /** By message id. A page does not say them. */
  #clientIds() {
    return new Map(this.#list.flatMap(({ id, client_id }) => client_id ? [[id, client_id]] : []));
  }
  #merge(page, clientIds) {
    for (const message of page.messages) {
      const client_id = clientIds.get(message.id);
      this.put(client_id === void 0 ? message : { ...message, client_id });
    }
    for (const event of this.since(page.seq)) this.#apply(event);
  }
  /** Events after `seq` that were told, as far as they are remembered. */
  since(seq) {
    return this.#recent.filter((event) => event.seq > seq);
  }
  /** What happened above `seq` is not so: forget it. */
  dropAbove(seq) {
    this.#list = this.#list.filter((each2) => each2.seq <= seq);
    this.#recent = this.#recent.filter((each2) => each2.seq <= seq);
  }
  /** False if what it says cannot be shown without loading something. */
  take(event) {
    this.#recent.push(event);
    if (this.#recent.length > RECENT) this.#recent.shift();
    return this.#apply(event);
  }
  /** Adds it, or takes the place of what is at its `seq`. */
  put(message) {
    const index = this.#index(message.seq);
    const there = this.#list[index]?.seq === message.seq;
    this.#list = this.#list.toSpliced(index, there ? 1 : 0, message);
  }
  /** What is known of it from elsewhere, until its event or a page comes. */
  putProvisional(message) {
    this.#provisional.add(message.id);
    this.put(message);
  }
  remove(id) {
    this.#list = this.#list.filter((each2) => each2.id !== id);
  }
  #apply(event) {
    const { at: at2, seq, data } = event;
    switch (event.kind) {
      case "message.sent":
      case "message.posted":
        if (!this.grows) return true;
        if (this.#provisional.delete(data.id)) this.put(shown(event));
        else this.put(again(shown(event), this.#at(seq)));
        return true;
      case "message.edited":
        if (event.data.redacted) return true;
        this.#change(event.data, (old) => {
          const { mentions: _, entities: __, ...rest } = old;
          const { text: text2, version, mentions, entities } = event.data;
          const said = { text: text2, version, ...without({ mentions, entities }) };
          return "deleted_at" in old ? old : { ...rest, ...said, edited_at: at2 };
        });
        this.#requote(event.data.message_id, (preview) => ({
          ...preview,
          text: [...event.data.text].slice(0, PREVIEW).join("")
        }));
        return true;
      case "message.deleted":
        this.#requote(event.data.message_id, () => ({ unavailable: true }));
        if (event.data.reason === "expired") this.remove(event.data.message_id);
        else this.#change(event.data, (old) => tombstone(old, at2));
        return true;
      case "message.restored":
        return this.#restore(event.data);
      case "message.pinned":
        this.#change(event.data, (old) => ({ ...old, pinned: true }));
        return true;
      case "message.unpinned":
        this.#change(event.data, ({ pinned: _, ...old }) => old);
        return true;
      case "reaction.changed":
        this.#change(event.data, (old) => this.#reacted(old, event.data));
        return true;
      case "poll.voted":
        this.#change(event.data, (old) => {
          const { tally, option } = event.data;
          const votes = { ...old.votes };
          if (option === void 0) delete votes[data.by];
          else votes[data.by] = option;
          return { ...old, tally, votes };
        });
        return true;
      case "message.forwarded":
        this.#change(event.data, (old) => ({ ...old, forwards: event.data.count }));
        return true;
      case "thread.replied": {
        const last = { seq: seq + 1, ts: at2, ...without({ by: data.by }) };
        this.#change(event.data, (old) => ({
          ...old,
          thread: { count: event.data.count, last }
        }));
        return true;
      }
      case "thread.recounted":
        this.#change(event.data, (old) => ({
          ...old,
          thread: { ...old.thread, count: event.data.count }
        }));
        return true;
      case "reference.dropped": {
        const { message_id, message_seq, context } = event.data;
        if (message_id === void 0 || message_seq === void 0) return true;
        const gone = Object.fromEntries(Object.keys(context).map((type) => [type, null]));
        this.#change({ message_id, message_seq }, (old) => ({
          ...old,
          context: { ...old.context, ...gone }
        }));
        return true;
      }
      case "void":
        if (this.get(event.data.of) === void 0) return false;
        this.remove(event.data.of);
        return true;
      default:
        if (this.grows && this.system && isSystem(event.kind)) this.put(shown(event));
        return true;
    }
  }
  #restore(data) {
    const old = this.#at(data.message_seq);
    const isLoaded = (this.#list[0]?.seq ?? Infinity) <= data.message_seq;
    if (old === void 0) return !isLoaded;
    const { deleted_at: _, redacted: __, ...rest } = old;
    const back = { ...rest, text: data.text, ...data.rest };
    for (const [name, value] of Object.entries(back)) if (value === null) delete back[name];
    this.put(back);
    return true;
  }
  #reacted(old, data) {
    const { emoji, count, on, by } = data;
    const { reactions: before2, reacted: own = [], ...rest } = old;
    const reactions = { ...before2, [emoji]: count };
    if (count === 0) delete reactions[emoji];
    if (Object.keys(reactions).length === 0) return rest;
    if (by !== this.me()) return { ...rest, reactions, reacted: own };
    const others = own.filter((each2) => each2 !== emoji);
    return { ...rest, reactions, reacted: on ? [...others, emoji] : others };
  }
  #change({ message_seq }, change) {
    const old = this.#at(message_seq);
    if (old !== void 0) this.put(change(old));
  }
  /** Those that answer the message `id` show of it what `change` says. */
  #requote(id, change) {
    for (const each2 of this.#list) {
      if (each2.reply_to?.id !== id || each2.preview?.unavailable) continue;
      const preview = change(each2.preview);
      if (preview !== void 0) this.put({ ...each2, preview });
    }
  }
  #at(seq) {
    const found = this.#list[this.#index(seq)];
    return found?.seq === seq ? found : void 0;
  }
  /** Where `seq` is, or belongs. */
  #index(seq) {
    let [low, high] = [0, this.#list.length];
    while (low < high) {
      const middle = low + high >> 1;
      if (this.#list[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
};
function isSystem(kind) {
  return kind !== "conversation.created" && /^(member|conversation)\./.test(kind);
}
function shown(event) {
  return { seq: event.seq, ts: event.at, kind: event.kind, ...event.data };
}
function again(told2, known) {
  return known?.id === told2.id ? { ...told2, ...known } : told2;
}
function tombstone(old, deleted_at) {
  const kept = Object.entries(old).filter(([name]) => CONTENT.includes(name));
  return { ...Object.fromEntries(kept), deleted_at, redacted: true };
}
function without(fields) {
  const entries = Object.entries(fields).filter(([, value]) => value !== void 0);
  return Object.fromEntries(entries);
}

// src/stretch.ts
var Stretch = class {
  /** `limit`: messages that are asked for at once. */
  constructor(messages, ask, limit) {
    this.messages = messages;
    this.ask = ask;
    this.limit = limit;
  }
  messages;
  ask;
  limit;
  /** Whether there are messages before the first one here. */
  more = true;
  #older;
  #newer;
  /** Begin anew with the newest page. */
  restart(page) {
    this.messages.restart(page);
    this.more = page.more;
  }
  /** Begin with what is round a message. */
  async loadAround(id) {
    const page = await this.ask({ around: id, limit: this.limit });
    const before2 = page.messages.findIndex((each2) => each2.id === id);
    this.messages.show(page);
    this.more = page.more && before2 >= this.limit;
  }
  /** Once at a time. */
  loadOlder() {
    return this.#older ??= this.#loadOlder().finally(() => this.#older = void 0);
  }
  async #loadOlder() {
    const first = this.messages.all[0];
    if (!this.more || first === void 0) return;
    const page = await this.ask({ before: first.seq, limit: this.limit });
    if (this.messages.all[0]?.seq !== first.seq) return;
    this.messages.show(page);
    this.more = page.more;
  }
  /** Whether these are the newest ones now. Once at a time. */
  loadNewer() {
    return this.#newer ??= this.#loadNewer().finally(() => this.#newer = void 0);
  }
  async #loadNewer() {
    const last = this.messages.all.at(-1);
    const page = await this.ask({ after: last?.seq ?? 0, limit: this.limit });
    this.messages.show(page);
    return !page.more;
  }
  /** Whether `later`, which goes on from somewhere, begins within these. */
  reaches(later) {
    const [last, next] = [this.messages.all.at(-1), later.messages.all[0]];
    return last !== void 0 && next !== void 0 && last.seq >= next.seq;
  }
  /** Take in `earlier`, between which and these there is no gap. */
  join(earlier) {
    const { all } = earlier.messages;
    const [first, here] = [all[0], this.messages.all[0]];
    if (here === void 0 || first !== void 0 && first.seq < here.seq) {
      this.more = earlier.more;
    }
    this.messages.show({ messages: [...all], more: false, seq: Infinity });
  }
};

// src/loaded.ts
var Loaded = class {
  constructor(me, system, limit, ask) {
    this.me = me;
    this.system = system;
    this.limit = limit;
    this.ask = ask;
    this.newest = this.#stretch(true);
  }
  me;
  system;
  limit;
  ask;
  newest;
  #past;
  /** What will be shown as soon as it is loaded. */
  #sought;
  #stretch(grows) {
    const { me, system, ask, limit } = this;
    const more = system ? { system } : {};
    return new Stretch(new Messages(me, system, grows), (page) => ask({ ...page, ...more }), limit);
  }
  get shown() {
    return this.#past ?? this.newest;
  }
  get isPast() {
    return this.#past !== void 0;
  }
  get all() {
    return [...this.newest.messages.all, ...this.#past?.messages.all ?? []];
  }
  get(id) {
    return this.shown.messages.get(id) ?? this.newest.messages.get(id);
  }
  /** Whether the message is shown now. */
  async goTo(id) {
    this.#sought = void 0;
    if (this.shown.messages.get(id) !== void 0) return true;
    if (this.newest.messages.get(id) !== void 0) {
      this.toNewest();
      return true;
    }
    const sought = this.#sought = this.#stretch(false);
    try {
      await sought.loadAround(id);
    } catch (error) {
      if (error instanceof Rejected && error.code === "MESSAGE_NOT_FOUND") return false;
      throw error;
    }
    if (sought !== this.#sought) return false;
    this.#sought = void 0;
    this.#past = sought;
    this.#meet(sought, false);
    return true;
  }
  async loadOlder() {
    await this.shown.loadOlder();
  }
  async loadNewer() {
    const past = this.#past;
    if (past === void 0) return;
    const complete = await past.loadNewer();
    if (past === this.#past) this.#meet(past, complete);
  }
  /** If it reaches the newest messages, they are one. */
  #meet(past, complete) {
    if (!complete && !past.reaches(this.newest)) return;
    this.newest.join(past);
    this.#past = void 0;
  }
  toNewest() {
    this.#past = this.#sought = void 0;
  }
  /** False if what the event says of the newest ones cannot be shown without loading something. */
  take(event) {
    for (const stretch of [this.#past, this.#sought]) stretch?.messages.take(event);
    return this.newest.messages.take(event);
  }
};

// src/optimistic.ts
var Optimistic = class {
  constructor(me) {
    this.me = me;
  }
  me;
  #pending = /* @__PURE__ */ new Map();
  /** Client ids whose event has come and whose reply has not. */
  #unconfirmed = /* @__PURE__ */ new Set();
  get messages() {
    return [...this.#pending.values()].map((each2) => each2.message);
  }
  get(clientId) {
    return this.#pending.get(clientId);
  }
  /** Shown behind all others until it has its place: its `seq` is infinite until then. `quoted`
   * gives the message that it answers, if that is here. */
  add(payload, at2, quoted = () => void 0) {
    const { client_id, attempt: _, reply_to, thread, expires_in: __, ...said } = payload;
    const { by, text: text2, seq = 0 } = (reply_to && quoted(reply_to)) ?? {};
    const message = {
      id: client_id,
      seq: Infinity,
      ts: at2,
      kind: "message.sent",
      by: this.me() ?? "",
      text: "",
      ...said,
      ...reply_to === void 0 ? {} : { reply_to: { id: reply_to, seq } },
      ...text2 === void 0 ? {} : { preview: { by, text: text2 } },
      ...thread === void 0 ? {} : { thread: { id: thread, seq: 0 } },
      client_id,
      status: "sending"
    };
    this.#pending.set(client_id, { message, payload });
    return message;
  }
  /** What is in the outbox, left from an earlier page or lost by the server before it replied; but
   * for what `isTold` by its event. */
  restore(waiting, c, isTold = () => false) {
    for (const { name, conversation, payload, clientId, at: at2 } of waiting) {
      if (name !== "message.send" || conversation !== c) continue;
      if (this.#pending.has(clientId) || isTold(clientId)) continue;
      this.#unconfirmed.delete(clientId);
      this.add(payload, at2);
    }
  }
  /** Its event has come: it stands among the others, and is not known to be durable yet. */
  arrived(clientId) {
    if (this.#pending.delete(clientId)) this.#unconfirmed.add(clientId);
  }
  /** Its reply has come. */
  confirmed(clientId) {
    this.#unconfirmed.delete(clientId);
    const pending = this.#pending.get(clientId);
    this.#pending.delete(clientId);
    return pending;
  }
  isConfirmed(clientId) {
    return clientId === void 0 || !this.#unconfirmed.has(clientId);
  }
  /** It will not be sent; it can be retried or discarded. */
  failed(clientId, error) {
    this.#unconfirmed.delete(clientId);
    const pending = this.#pending.get(clientId);
    if (pending === void 0) return;
    const message = { ...pending.message, status: "failed", error };
    this.#pending.set(clientId, { ...pending, message });
  }
  discard(clientId) {
    this.#pending.delete(clientId);
  }
};

// src/page.ts
var hasPage = () => typeof document !== "undefined" && typeof addEventListener !== "undefined";
function pageEvents(back, away = () => {
}, cut = () => {
}) {
  if (!hasPage()) return () => {
  };
  const shown2 = () => document.visibilityState === "visible" ? back() : away();
  addEventListener("online", back);
  addEventListener("offline", cut);
  addEventListener("focus", shown2);
  document.addEventListener("visibilitychange", shown2);
  return () => {
    removeEventListener("online", back);
    removeEventListener("offline", cut);
    removeEventListener("focus", shown2);
    document.removeEventListener("visibilitychange", shown2);
  };
}
function isLookedAt() {
  return !hasPage() || document.visibilityState === "visible" && document.hasFocus();
}

// src/presence.ts
var Presence = class {
  constructor(client, c, changed2) {
    this.client = client;
    this.c = c;
    this.changed = changed2;
  }
  client;
  c;
  changed;
  #online = /* @__PURE__ */ new Map();
  isOnline(user) {
    return this.#online.get(user) ?? false;
  }
  set(user, online) {
    this.#online.set(user, online);
    this.changed();
  }
  /** Without a connection nobody is known to be there. */
  clear() {
    if (this.#online.size === 0) return;
    this.#online.clear();
    this.changed();
  }
  async ask() {
    try {
      const { users } = await this.client.presence(this.c);
      for (const [user, { online }] of Object.entries(users)) this.#online.set(user, online);
      this.changed();
    } catch {
    }
  }
};

// src/typing.ts
var DEBOUNCE = 300;
var REPEAT = 4e3;
var PAUSE = 5e3;
var LOST = 12e3;
var TypingOut = class {
  constructor(clock, say) {
    this.clock = clock;
    this.say = say;
  }
  clock;
  say;
  #cancels = [];
  #state = "idle";
  #again = false;
  #pause = () => {
  };
  keystroke() {
    this.#pause();
    this.#pause = this.clock.after(PAUSE, () => this.stop());
    this.#again = true;
    if (this.#state !== "idle") return;
    this.#state = "about";
    this.#set(DEBOUNCE);
  }
  /** It is over: nothing is typed for a while, or it was sent, or given up. */
  stop() {
    if (this.#state === "typing") this.say(false);
    this.sent();
  }
  /** The message itself tells that it is over. */
  sent() {
    this.#pause();
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#state = "idle";
  }
  #set(after) {
    this.#cancels = [
      this.clock.after(after, () => {
        if (this.#again) this.say(true);
        this.#again = false;
        this.#state = "typing";
        this.#set(REPEAT);
      })
    ];
  }
};
var TypingIn = class {
  constructor(clock, changed2) {
    this.clock = clock;
    this.changed = changed2;
  }
  clock;
  changed;
  #ends = /* @__PURE__ */ new Map();
  get users() {
    return [...this.#ends.keys()];
  }
  started(user) {
    this.#ends.get(user)?.();
    this.#ends.set(
      user,
      this.clock.after(LOST, () => this.stopped(user))
    );
    this.changed();
  }
  stopped(user) {
    const cancel = this.#ends.get(user);
    if (cancel === void 0) return;
    cancel();
    this.#ends.delete(user);
    this.changed();
  }
  clear() {
    for (const user of this.users) this.stopped(user);
  }
};

// src/conversation.ts
var Conversation = class extends Model {
  /** Made by `client.conversation(c)`. */
  constructor(client, c, options = {}, forget = () => {
  }) {
    super();
    this.client = client;
    this.c = c;
    this.#limit = options.limit ?? 50;
    this.#system = options.system ?? false;
    this.#forget = forget;
    const me = () => client.user;
    const ask = (page) => client.history(c, page);
    this.#loaded = new Loaded(me, this.#system, this.#limit, ask);
    this.#expiry = new Expiry(
      client.clock,
      () => this.#loaded.all,
      () => this.#touch()
    );
    this.#presence = new Presence(client, c, () => this.#touch());
    this.#optimistic = new Optimistic(me);
    this.#restore();
    this.#typingIn = new TypingIn(client.clock, () => this.changed());
    this.#typingOut = new TypingOut(
      client.clock,
      (on) => client.tell(on ? "typing.start" : "typing.stop", {}, c)
    );
    this.draft = new Draft(client, c);
    this.#offs = [
      client.outbox.onLate(() => this.#touch(() => this.#restore())),
      client.on("push", (push) => this.#take(push)),
      client.onRows(({ rows }) => {
        const row = rows.find((each2) => each2.c === c);
        if (row !== void 0) this.#touch(() => this.unread = row.unread);
      }),
      pageEvents(() => this.#look())
    ];
    void this.#load();
  }
  client;
  c;
  phase = "loading";
  error;
  unread = 0;
  draft;
  #limit;
  #system;
  #loaded;
  #optimistic;
  #info;
  #typingIn;
  #typingOut;
  #active = false;
  #presence;
  #turn = 0;
  #closed = false;
  #shown;
  #told = /* @__PURE__ */ new WeakMap();
  #expiry;
  #offs;
  #forget;
  /** Oldest first, those that are on their way last. Do not change them. */
  get messages() {
    return this.#shown ??= this.#all();
  }
  /** Whether there are messages before the first one here. */
  get more() {
    return this.#loaded.shown.more;
  }
  /** Whether these lie somewhere back (`goTo`), so that the newest ones are not among them. */
  get isPast() {
    return this.#loaded.isPast;
  }
  /** What `conversation.get` says, brought up to date; undefined while it is loading. */
  get info() {
    return this.#info?.now;
  }
  /** Who is typing, but oneself. */
  get typing() {
    return this.#typingIn.users;
  }
  /** Who of those in it is online, as far as is known. */
  isOnline(user) {
    return this.#presence.isOnline(user);
  }
  /** Users who have read, or hold, a message; without its writer and oneself. */
  whoHas(message, kind = "read") {
    const users = this.#info?.whoReached(message.seq, kind) ?? [];
    return users.filter((user) => user !== message.by && user !== this.client.user);
  }
  /** Whether it is in the foreground: then what comes is read, as long as somebody looks at the
   * page (CLI-10). */
  get active() {
    return this.#active;
  }
  set active(active) {
    this.#active = active;
    this.#look();
  }
  /** Show it at once, send it as soon as can be, and never twice. It cannot be refused here: what
   * has become of it, `status` says (`failed` with `error`). Empty drafts and typing go with it. */
  send(text2, options = {}) {
    const client_id = options.client_id ?? newId();
    const payload = { text: text2, ...options, client_id };
    const message = this.#optimistic.add(
      payload,
      this.client.clock.now(),
      (id) => this.#loaded.get(id)
    );
    this.toNewest();
    this.#typingOut.sent();
    this.draft.sent();
    void this.#enqueue(payload);
    return message;
  }
  /** Send a message that failed once more; it is the same one for the server. */
  retry(message) {
    const pending = this.#optimistic.get(message.id);
    if (pending?.message.status !== "failed") return;
    const payload = { ...pending.payload, attempt: (pending.payload["attempt"] ?? 1) + 1 };
    this.#optimistic.add(payload, pending.message.ts);
    void this.#enqueue(payload);
  }
  /** Show a message that failed no more. */
  discard(message) {
    if (this.#optimistic.get(message.id)?.message.status !== "failed") return;
    this.#touch(() => this.#optimistic.discard(message.id));
  }
  edit(message, text2, mentions) {
    return this.client.edit(this.c, message.id, text2, mentions === void 0 ? {} : { mentions });
  }
  /** For everybody; `client.hide` for oneself. */
  delete(message) {
    return this.client.delete(this.c, message.id);
  }
  react(message, emoji, on = !message.reacted?.includes(emoji)) {
    return this.client.react(this.c, message.id, emoji, on);
  }
  pin(message, on = true) {
    return on ? this.client.pin(this.c, message.id) : this.client.unpin(this.c, message.id);
  }
  /** Load what is before the first message here. */
  loadOlder() {
    return this.#show(this.#loaded.loadOlder());
  }
  /** Load what is behind the last message here, if that is not the newest one. As soon as the
   * newest ones are reached it goes on from there by itself. */
  loadNewer() {
    return this.#show(this.#loaded.loadNewer());
  }
  /** Show the messages round this one, however far back it is, to go on from there in both
   * directions. False: it is not there (any more), or something else was asked for meanwhile. */
  async goTo(id) {
    const found = await this.#show(this.#loaded.goTo(id));
    return found && this.messages.some((each2) => each2.id === id);
  }
  /** Show the newest messages again. */
  toNewest() {
    const wasPast = this.isPast;
    this.#loaded.toNewest();
    if (!wasPast) return;
    this.#touch();
    this.#look();
  }
  /** Everything up to `message`, or to the end, has been read. Gathered (`client.reads`). */
  markRead(message) {
    const last = this.#messages.all.at(-1);
    const seq = message?.seq ?? last?.seq;
    const me = this.client.user;
    if (seq === void 0 || !Number.isFinite(seq) || me === void 0) return;
    if (seq <= (this.#info?.marks(me)?.read ?? 0) && this.unread === 0) return;
    this.#info?.mark(me, "read", seq);
    if (last === void 0 || seq >= last.seq) this.#touch(() => this.unread = 0);
    this.client.reads.read(this.c, seq);
  }
  /** Something is being typed. Call it at every keystroke: a few commands come of it. */
  keystroke() {
    this.#typingOut.keystroke();
  }
  /** It was given up. */
  stopTyping() {
    this.#typingOut.stop();
  }
  /** It is shown no more: signals of it are no longer wanted. */
  close() {
    this.#closed = true;
    this.#turn++;
    for (const off of this.#offs) off();
    this.#expiry.stop();
    this.#typingOut.stop();
    this.#typingIn.clear();
    this.draft.close();
    this.#forget();
    this.client.unsubscribe(this.c).catch(() => {
    });
  }
  /** The newest ones. */
  get #messages() {
    return this.#loaded.newest.messages;
  }
  /** When it is loaded. */
  async #show(loading) {
    const loaded = await loading;
    if (this.#closed) return loaded;
    this.#expiry.set();
    this.#touch();
    this.#look();
    return loaded;
  }
  #all() {
    const { hidden } = this.client.personal;
    const now = this.client.clock.now();
    const told2 = this.#loaded.shown.messages.all.filter((each2) => !hidden.has(each2.id) && (each2.expires_at ?? Infinity) > now).map((each2) => this.#withStatus(each2));
    return this.isPast ? told2 : [...told2, ...this.#optimistic.messages];
  }
  /** One's own with what has become of it: the same object as long as that does not change. */
  #withStatus(message) {
    const me = this.client.user;
    if (message.by !== me || me === void 0 || message.kind !== "message.sent") return message;
    const confirmed = this.#optimistic.isConfirmed(message.client_id);
    const status = confirmed ? this.#info?.status(message.seq, me) ?? "sent" : "sending";
    let told2 = this.#told.get(message);
    if (told2?.status !== status) this.#told.set(message, told2 = { ...message, status });
    return told2;
  }
  async #enqueue(payload) {
    this.#touch();
    try {
      const said = payload;
      await this.client.enqueueCall("message.send", said, this.c);
    } catch (error) {
      this.#touch(() => this.#optimistic.failed(payload["client_id"], error));
    }
  }
  /** What is on its way is shown. */
  #restore() {
    const { waiting } = this.client.outbox;
    this.#optimistic.restore(waiting, this.c, (clientId) => this.#messages.has(clientId));
  }
  /** Change something that is shown. */
  #touch(change = () => {
  }) {
    change();
    this.#shown = void 0;
    this.changed();
  }
  changed() {
    this.#shown = void 0;
    super.changed();
  }
  #look() {
    const isShown = this.#active && this.phase === "ready" && !this.isPast;
    if (isShown && isLookedAt()) this.markRead();
  }
  /** The position first, then what was said: what happens meanwhile is told, and put on top. */
  async #load() {
    const turn = ++this.#turn;
    const page = { limit: this.#limit, ...this.#system ? { system: true } : {} };
    const ever = { timeout: Infinity };
    const { client, c } = this;
    for (; ; ) {
      try {
        const [, info, newest] = await Promise.all([
          client.call("conversation.subscribe", {}, c, ever),
          client.call("conversation.get", {}, c, ever),
          client.call("message.history", page, c, ever)
        ]);
        if (turn === this.#turn) this.#begin(info, newest);
        return;
      } catch (error) {
        if (turn !== this.#turn) return;
        if (error instanceof NoAnswer) continue;
        const gone = error instanceof Rejected && !error.retryable;
        this.#touch(() => {
          if (gone) this.phase = "gone";
          this.error = error;
        });
        if (gone || !(error instanceof Rejected)) return;
      }
    }
  }
  #begin(info, newest) {
    const fresh = new Info(info);
    for (const event of this.#messages.since(info.seq)) fresh.apply(event, this.client.user);
    this.#info = fresh;
    this.#loaded.newest.restart(newest);
    this.unread = info.unread;
    this.phase = "ready";
    this.error = void 0;
    this.#restore();
    this.#expiry.set();
    this.#touch();
    this.#look();
    void this.#presence.ask();
  }
  #take(push) {
    switch (push.type) {
      case "event":
        if (push.conversation === this.c) this.#event(push);
        break;
      case "reload":
        if (push.conversation === this.c) this.#reload(push);
        break;
      case "signal":
        this.#signal(push);
        break;
      case "state":
        if (push.state !== "online") {
          this.#typingIn.clear();
          this.#presence.clear();
        } else if (this.phase === "ready") {
          void this.#presence.ask();
        }
        break;
      case "sent":
      case "failed": {
        const { conversation, clientId } = push.outgoing;
        if (conversation !== this.c) return;
        if (push.type === "failed") this.#optimistic.failed(clientId, push.error);
        else this.#sent(clientId, push.result);
        this.#touch();
      }
    }
  }
  #event(event) {
    const { kind, data } = event;
    const me = this.client.user;
    if (kind === "message.sent") {
      if (data.by !== void 0) this.#typingIn.stopped(data.by);
      if (data.by === me && data.client_id !== void 0) this.#optimistic.arrived(data.client_id);
    }
    const shown2 = this.#loaded.take(event);
    this.#info?.apply(event, me);
    if (kind === "member.removed" && event.data.user === me) {
      this.phase = "gone";
    } else if (kind === "member.added" && me !== void 0 && event.data.users.includes(me)) {
      if (this.phase !== "loading") void this.#load();
    } else if (!shown2) {
      void this.#load();
    }
    if ("expires_at" in data) this.#expiry.set();
    this.#touch();
    if (kind === "message.sent" && data.by !== me) this.#look();
  }
  /** It was answered as a repetition, or its event was missed: then it has its place from here. */
  #sent(clientId, result) {
    const pending = this.#optimistic.confirmed(clientId);
    const { id, seq, ts } = result;
    if (pending === void 0 || this.#messages.get(id) !== void 0) return;
    const { status: _, ...message } = pending.message;
    this.#messages.putProvisional({ ...message, id, seq, ts });
  }
  #reload({ reason, keep }) {
    if (reason === "not_member" || reason === "permission_denied") {
      this.#touch(() => this.phase = "gone");
      return;
    }
    this.#loaded.toNewest();
    if (reason === "diverged") {
      this.#messages.dropAbove(keep);
      this.#touch(() => this.#restore());
    }
    void this.#load();
  }
  #signal(signal) {
    if (signal.kind === "unread.changed") {
      const unread = signal.data.conversations[this.c];
      const read = this.client.reads.upTo(this.c) >= (this.#messages.all.at(-1)?.seq ?? Infinity);
      if (unread !== void 0) this.#touch(() => this.unread = read ? 0 : unread);
    } else if (signal.kind === "message.hidden" && signal.data.conversation === this.c) {
      this.#touch();
    } else if (signal.kind === "request.answered" && signal.data.conversation === this.c) {
      void this.#load();
    } else if (signal.conversation === this.c) {
      this.#here(signal);
    }
  }
  #here({ kind, data }) {
    const me = this.client.user;
    switch (kind) {
      case "typing.started":
        if (data.by !== me && data.thread === void 0) this.#typingIn.started(data.by);
        break;
      case "typing.stopped":
        this.#typingIn.stopped(data.by);
        break;
      case "presence.changed":
        this.#presence.set(data.user, data.online);
        break;
      case "message.read":
      case "message.delivered": {
        const mark = kind === "message.read" ? "read" : "delivered";
        this.#touch(() => this.#info?.mark(data.by, mark, data.seq));
      }
    }
  }
};

// src/reconnect.ts
function* exponential(first = 1e3, cap = 3e4) {
  for (let bound = first; ; bound = Math.min(bound * 2, cap)) yield Math.min(bound, cap);
}
function* linear(step = 1e3, attempts = 5) {
  for (let attempt = 1; attempt <= attempts; attempt++) yield step * attempt;
}
function delay(bound, random, advice = 0) {
  return advice + bound * random();
}

// src/replica.ts
var UNKNOWN_EPOCH = 0;
var Replica = class {
  positions = /* @__PURE__ */ new Map();
  /** What to do with events `first` to `last` (one number, but for `skipped`).
   *
   * `resume` is said once per gap. The first push of an unknown conversation founds its position:
   * what lies before it is history, to be read as such. */
  push(conversation, first, last) {
    const position = this.positions.get(conversation);
    if (position === void 0) {
      this.positions.set(conversation, at(UNKNOWN_EPOCH, last));
      return "found";
    }
    if (last <= position.seq) return "known";
    if (first <= position.seq + 1 && (position.claimed !== void 0 || !position.unchecked)) {
      position.seq = last;
      position.moved = true;
      return "take";
    }
    position.heard = Math.max(position.heard, last);
    return begin(position) ? "resume" : "later";
  }
  /** Whether to resume, now that the conversation's actor says where it stands. It says so in line
   * with the pushes, so any difference is a loss. */
  head(conversation, epoch, seq) {
    const position = this.positions.get(conversation);
    if (position === void 0 || position.epoch === epoch && position.seq === seq) return false;
    position.toldEpoch = epoch;
    position.heard = Math.max(position.heard, seq);
    return begin(position);
  }
  /** An answer told where the conversation stands. Founds the position of an unknown one, and
   * completes one that was founded on the same connection; other positions only pushes move. */
  learn(conversation, epoch, seq, marks = 0) {
    let position = this.positions.get(conversation);
    if (position === void 0) {
      position = at(epoch, seq);
      this.positions.set(conversation, position);
    }
    if (position.epoch === UNKNOWN_EPOCH) position.epoch = epoch;
    position.marks = Math.max(position.marks, marks);
  }
  /** The payload of `conversation.resume`.
   *
   * It is the position as it was when the need was seen: what was taken since then may be of
   * another epoch. An epoch that was never learnt is claimed to be the first one: the server then
   * recovers what cannot have diverged, at worst needlessly careful. Undefined: nothing is known
   * of it any more. */
  claim(conversation) {
    const position = this.positions.get(conversation);
    if (position === void 0) return void 0;
    const [epoch, seq] = position.claimed ?? [position.epoch, position.seq];
    return { epoch: Math.max(epoch, 1), seq, marks: position.marks };
  }
  /** The answer to a resume, taken in line with the pushes that came before it. */
  resumed(conversation, answer) {
    const position = this.positions.get(conversation);
    const recovered = answer["recovered"];
    const reason = recovered ? void 0 : String(answer["reason"] ?? "unknown");
    if (position === void 0 || reason === "not_member") {
      this.forget(conversation);
      return { reload: reason, seq: 0, keep: 0, again: false };
    }
    position.epoch = answer["epoch"];
    position.seq = recovered ? Math.max(position.seq, answer["seq"]) : answer["seq"];
    position.marks = answer["marks"]?.n ?? (recovered ? position.marks : 0);
    const again2 = position.heard > position.seq || position.toldEpoch > position.epoch;
    position.claimed = again2 ? [position.epoch, position.seq] : void 0;
    position.heard = position.toldEpoch = 0;
    position.unchecked = position.moved = false;
    return { reload: reason, seq: position.seq, keep: answer["reload_after"] ?? 0, again: again2 };
  }
  forget(conversation) {
    this.positions.delete(conversation);
  }
  /** The connection is gone, and with it the resumes in flight. */
  disconnected() {
    for (const position of this.positions.values()) {
      position.moved ||= position.claimed !== void 0;
      position.claimed = void 0;
      position.heard = position.toldEpoch = 0;
      position.unchecked = true;
      position.epoch = Math.max(position.epoch, 1);
    }
  }
  /** After a reconnect: given (epoch, seq) of every conversation that changed meanwhile, those to
   * resume, and those that are new and stand where the row says from now on.
   *
   * A position that moved since the last comparison is resumed even if it is in no row: it may be
   * ahead of a log that has lost its end. So are `suspects`, where something may have happened that
   * no row tells. Without rows all of them are. */
  compare(rows, suspects = []) {
    const behind = [];
    const fresh = [];
    for (const [conversation, [epoch, seq]] of rows ?? []) {
      const position = this.positions.get(conversation);
      if (position === void 0) {
        this.positions.set(conversation, { ...at(epoch, seq), moved: false });
        fresh.push(conversation);
      } else if (position.epoch === UNKNOWN_EPOCH) {
        position.epoch = epoch;
      } else {
        position.moved = position.epoch !== epoch || position.seq !== seq;
      }
    }
    for (const conversation of suspects) {
      const position = this.positions.get(conversation);
      if (position !== void 0) position.moved = true;
    }
    for (const [conversation, position] of this.positions) {
      if (position.unchecked && (position.moved || rows === void 0)) {
        if (begin(position)) behind.push(conversation);
      } else {
        position.unchecked = position.moved = false;
      }
    }
    return { behind, fresh };
  }
};
function at(epoch, seq) {
  const rest = { marks: 0, claimed: void 0, heard: 0, toldEpoch: 0, unchecked: false };
  return { epoch, seq, ...rest, moved: true };
}
function begin(position) {
  if (position.claimed !== void 0) return false;
  position.claimed = [position.epoch, position.seq];
  return true;
}

// src/slots.ts
var Slots = class {
  constructor(free) {
    this.free = free;
  }
  free;
  #waiting = [];
  /** Resolves when there is a slot, and it is taken; false if `signal` was aborted before. */
  async acquire(signal) {
    if (signal?.aborted) return false;
    if (this.free > 0) {
      this.free--;
      return true;
    }
    return new Promise((resolve) => {
      const got = () => {
        signal?.removeEventListener("abort", gone);
        resolve(true);
      };
      const gone = () => {
        this.#waiting = this.#waiting.filter((each2) => each2 !== got);
        resolve(false);
      };
      this.#waiting.push(got);
      signal?.addEventListener("abort", gone, { once: true });
    });
  }
  release() {
    const next = this.#waiting.shift();
    if (next !== void 0) next();
    else this.free++;
  }
};

// src/follower.ts
var RESUMES = 32;
var ANSWER_TIMEOUT = 3e4;
var Follower = class {
  replica = new Replica();
  #calls;
  #clock;
  #random;
  #tell;
  #cursor;
  #n = 0;
  #catchingUp = true;
  #user;
  #subscriptions = /* @__PURE__ */ new Set();
  #over = AbortSignal.abort();
  #slots = new Slots(RESUMES);
  constructor(calls, clock, random, tell) {
    this.#calls = calls;
    this.#clock = clock;
    this.#random = random;
    this.#tell = tell;
  }
  // From the connection, in the order of arrival.
  /** An event or signal has come. */
  take(item) {
    const { t: kind, c: conversation, seq, ts: at2 = 0, d: data = {} } = item;
    if (seq === void 0 || conversation === void 0) return this.#signal(item, data);
    const skipped = kind === "skipped";
    const step = this.replica.push(conversation, skipped ? data.from : seq, seq);
    if (step === "resume") this.#resume(conversation);
    if (step === "found" && !this.#begins(kind, seq, data)) {
      this.#reload(conversation, "new", seq - 1);
    }
    const wanted = step === "take" || step === "found" || step === "known" && kind === "void";
    if (!wanted || skipped) return;
    this.#tell.push({ type: "event", kind, conversation, seq, at: at2, data });
  }
  #signal(item, data) {
    const { t: kind, c: conversation, ts: at2 = 0 } = item;
    if (item.n !== void 0 && !this.#catchingUp) this.#n = Math.max(this.#n, item.n);
    if (kind === "conversation.head" && conversation !== void 0) {
      if (this.replica.head(conversation, data.epoch, data.seq)) this.#resume(conversation);
    } else if (kind === "message.receipts") {
      for (const each2 of data.read ?? []) this.#told("message.read", conversation, at2, each2);
      for (const each2 of data.delivered ?? []) {
        this.#told("message.delivered", conversation, at2, each2);
      }
    } else {
      this.#told(kind, conversation, at2, data);
    }
  }
  #told(kind, conversation, at2, data) {
    this.#tell.push({ type: "signal", kind, conversation, at: at2, data });
  }
  #reload(conversation, reason, seq = 0, keep = 0) {
    this.#tell.push({ type: "reload", conversation, reason, seq, keep });
  }
  /** Whether there is nothing before this event that the user could load. */
  #begins(kind, seq, data) {
    return seq === 1 || kind === "member.added" && data.users.includes(this.#user);
  }
  /** What to do with the result of an application's call, if there is something to learn. */
  observer(name, conversation, payload) {
    if (name === "conversation.list") {
      return (ok) => ok["conversations"].forEach((row) => this.#learn(row["c"], row));
    }
    if (conversation === void 0 || "thread" in payload) return void 0;
    switch (name) {
      case "conversation.get":
      case "message.history":
        return (ok) => this.#learn(conversation, ok);
      case "conversation.subscribe":
        return () => this.#subscriptions.add(conversation);
      case "conversation.unsubscribe":
        this.#subscriptions.delete(conversation);
    }
    return void 0;
  }
  #learn(conversation, { epoch, seq, marks }) {
    if (seq === void 0) return;
    const moves = typeof marks === "number" ? marks : 0;
    this.replica.learn(conversation, epoch ?? UNKNOWN_EPOCH, seq, moves);
  }
  // One connection's life.
  /** A connection of `user` is up; `over` is aborted with it. */
  connected(over, user) {
    this.#over = over;
    this.#user = user;
    this.#catchingUp = true;
    for (const conversation of this.#subscriptions) void this.#subscribe(conversation, over);
    void this.#catchUp(over);
  }
  disconnected() {
    this.#over = AbortSignal.abort();
    this.replica.disconnected();
  }
  /** A subscription ends with its connection, so each connection gets it anew. */
  async #subscribe(conversation, over) {
    const wanted = () => this.#subscriptions.has(conversation) ? {} : void 0;
    try {
      await this.#insist(over, "conversation.subscribe", wanted, conversation, () => {
      });
    } catch (error) {
      if (error instanceof Rejected) this.#subscriptions.delete(conversation);
    }
  }
  /** One round trip tells what moved while there was no connection (HIST-07); more of them if the
   * user's own log is far ahead. Until that is done a push tells nothing of what is missing before
   * it. */
  async #catchUp(over) {
    const position = () => ({
      n: this.#n,
      ...this.#cursor === void 0 ? {} : { cursor: this.#cursor }
    });
    try {
      while (this.#catchingUp && !over.aborted) {
        await this.#insist(over, "sync.changes", position, void 0, (ok) => this.#changed(ok));
      }
    } catch {
      this.#cursor = void 0;
      this.#compare(void 0);
    }
  }
  #changed(answer) {
    const rows = answer["conversations"];
    const left = answer["left"] ?? [];
    const stand = new Map(rows.map((row) => [row.c, [row.epoch, row.seq]]));
    this.#compare(this.#cursor === void 0 ? void 0 : stand, [
      ...left,
      ...this.#subscriptions
    ]);
    if (rows.length > 0 || left.length > 0) this.#tell.changed(rows, left);
    this.#cursor = answer["cursor"];
    for (const { n, kind, data, ts } of answer["log"] ?? []) {
      this.#n = Math.max(this.#n, n);
      this.#told(kind, void 0, ts, data);
    }
    this.#catchingUp = answer["more"] ?? false;
  }
  #compare(rows, suspects = []) {
    const { behind, fresh } = this.replica.compare(rows, suspects);
    for (const conversation of fresh) {
      this.#reload(conversation, "new", this.replica.positions.get(conversation).seq);
    }
    for (const conversation of behind) this.#resume(conversation);
  }
  #resume(conversation) {
    void this.#recover(conversation, this.#over);
  }
  async #recover(conversation, over) {
    if (!await this.#slots.acquire(over)) return;
    try {
      const claim = () => this.replica.claim(conversation);
      await this.#insist(
        over,
        "conversation.resume",
        claim,
        conversation,
        (ok) => this.#resumed(conversation, ok)
      );
    } catch (error) {
      this.replica.forget(conversation);
      this.#reload(conversation, error instanceof Rejected ? error.code.toLowerCase() : "unknown");
    } finally {
      this.#slots.release();
    }
  }
  #resumed(conversation, answer) {
    const resumed = this.replica.resumed(conversation, answer);
    if (resumed.reload !== void 0) {
      this.#reload(conversation, resumed.reload, resumed.seq, resumed.keep);
    }
    for (const moved of answer["marks"]?.moved ?? []) {
      for (const kind of ["read", "delivered"]) {
        if (moved[kind] === void 0) continue;
        const data = { by: moved.user, seq: moved[kind], at: 0 };
        this.#told(`message.${kind}`, conversation, 0, data);
      }
    }
    if (resumed.again) this.#resume(conversation);
  }
  /** Ask until there is an answer, or no connection. Throws what repeating would not help. */
  async #insist(over, name, payload, conversation, then) {
    for (const bound of exponential()) {
      const asked = payload();
      if (over.aborted || asked === void 0) return;
      let advice;
      try {
        await this.#calls.perform(name, asked, {
          conversation,
          timeout: ANSWER_TIMEOUT,
          // What a connection that is over was asked says nothing any more.
          then: (ok) => over.aborted || then(ok)
        });
        return;
      } catch (error) {
        if (error instanceof Rejected && error.retryable) advice = error.retryAfter;
        else if (!(error instanceof NoAnswer)) throw error;
      }
      await sleep(this.#clock, delay(bound, this.#random, advice), over);
    }
  }
};

// src/inbox.ts
var SHOWN_MEMBERS = 5;
var Inbox = class extends Model {
  constructor(client) {
    super();
    this.client = client;
    client.on("event", (event) => this.#event(event));
    client.on("reload", (reload) => this.#reload(reload));
    client.on("unread.changed", ({ data }) => {
      for (const [c, unread] of Object.entries(data.conversations)) {
        this.#told.set(c, unread);
        this.#update(c, { unread });
      }
      this.#total(data.total);
    });
    client.on("preference.changed", ({ data: { conversation, ...preference } }) => {
      if (this.#rows.has(conversation)) this.#update(conversation, { preference });
      else void this.#fetch(conversation);
    });
    client.on("request.answered", ({ data: { conversation, status } }) => {
      this.#remove(conversation);
      if (status === "accepted") void this.#fetch(conversation);
    });
    client.on("block.changed", ({ data: { conversation, level } }) => {
      if (level === "blocked" || level === "restricted") this.#remove(conversation);
      else void this.#fetch(conversation);
    });
    client.onRows(({ rows, left }) => {
      const strange = this.#next.get("all") !== null && rows.some(({ c }) => !this.#told.has(c));
      for (const row of rows) this.#put(row);
      for (const c of left) this.#remove(c);
      if (strange && this.#next.size > 0) void this.#count();
    });
  }
  client;
  #rows = /* @__PURE__ */ new Map();
  /** How much is unread by conversation, as the server says, and in those that it has not told. */
  #told = /* @__PURE__ */ new Map();
  #others = 0;
  /** Where to go on; null: that was all. */
  #next = /* @__PURE__ */ new Map();
  /** The last event that was told of a conversation while it is fetched. */
  #fetching = /* @__PURE__ */ new Map();
  /** Unread messages of all conversations together. */
  get unread() {
    let unread = this.#others;
    for (const [c, told2] of this.#told) unread += this.#isRead(c) ? 0 : told2;
    return Math.max(unread, 0);
  }
  /** What has been loaded and came up since: pinned ones first, then newest activity first. */
  rows(filter = "all") {
    const rows = [...this.#rows.keys()].map((c) => this.get(c));
    return rows.filter((row) => this.#is(row, filter)).sort(before);
  }
  get(c) {
    const row = this.#rows.get(c);
    return row !== void 0 && row.unread > 0 && this.#isRead(c) ? { ...row, unread: 0 } : row;
  }
  /** Told by `reads`: what was read here counts as read, before the server knows. */
  read(c) {
    if (this.#told.has(c)) this.changed();
  }
  /** Whether `loadMore` may bring more. */
  more(filter = "all") {
    return this.#next.get(filter) !== null;
  }
  /** Load the first page, once; what changes later comes by itself. */
  async load(filter = "all", limit) {
    if (!this.#next.has(filter)) await this.loadMore(filter, limit);
  }
  /** Load the first page once more: of `requests` nothing is told, they have to be asked for. */
  async reload(filter, limit) {
    this.#next.delete(filter);
    await this.loadMore(filter, limit);
  }
  /** Load the next page. */
  async loadMore(filter = "all", limit) {
    const next = this.#next.get(filter);
    if (next === null) return;
    const page = await this.#page({
      filter,
      ...limit === void 0 ? {} : { limit },
      ...next === void 0 ? {} : { cursor: next }
    });
    this.#next.set(filter, page.next);
    for (const row of page.conversations) this.#put(row);
    this.#total(page.unread);
  }
  /** What happened while there was no connection changed the total, too, which no row says. */
  async #count() {
    try {
      this.#total((await this.client.conversations({ limit: 1 })).unread);
    } catch (error) {
      if (!(error instanceof PalaverError)) throw error;
    }
  }
  /** The server says so. */
  #total(total) {
    this.#others = total;
    for (const told2 of this.#told.values()) this.#others -= told2;
    this.changed();
  }
  /** Whether it was read here up to its last message. */
  #isRead(c) {
    const upTo = this.client.reads.upTo(c);
    return upTo > 0 && upTo >= (this.#rows.get(c)?.last?.seq ?? 0);
  }
  /** However often the connection breaks meanwhile. */
  async #page(asked) {
    for (; ; ) {
      try {
        const ever = { timeout: Infinity };
        return await this.client.call("conversation.list", asked, void 0, ever);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
      }
    }
  }
  #is(row, filter) {
    const request = row.request === "pending";
    const {
      archived = false,
      unread = false,
      hidden_seq = 0,
      hidden_number = 0
    } = row.preference ?? {};
    if (request || filter === "requests") return request && filter === "requests";
    if (hidden_seq > 0 && row.number <= hidden_number) return false;
    if (archived || filter === "archived") return archived && filter === "archived";
    return filter === "all" || unread || row.unread > 0;
  }
  /** A row that is as of an earlier time than what is known changes nothing. */
  #put(row) {
    if (this.#next.size === 0) return;
    const known = this.#rows.get(row.c);
    if (known !== void 0 && known.epoch === row.epoch && known.seq > row.seq) return;
    const own = this.client.personal.preferences.get(row.c) ?? row.preference;
    const now = { ...row, ...movedBy(known, row) };
    this.#rows.set(row.c, own === void 0 ? now : { ...now, preference: own });
    if (row.request === void 0) this.#told.set(row.c, row.unread);
    this.changed();
  }
  #update(c, change) {
    const row = this.#rows.get(c);
    if (row === void 0) return;
    this.#rows.set(c, { ...row, ...change });
    this.changed();
  }
  #remove(c) {
    this.#told.delete(c);
    if (this.#rows.delete(c)) this.changed();
  }
  #reload({ conversation, reason }) {
    if (reason === "not_member" || reason === "permission_denied") this.#remove(conversation);
    else void this.#fetch(conversation);
  }
  #event(event) {
    const c = event.conversation;
    const me = this.client.user;
    if (this.#fetching.has(c)) this.#fetching.set(c, event.seq);
    if (event.kind === "member.removed" && event.data.user === me) return this.#remove(c);
    const row = this.#rows.get(c);
    const joined = event.kind === "member.added" && event.data.users.includes(me ?? "");
    if (row === void 0 || joined || event.kind === "void") return void this.#fetch(c);
    if (event.seq <= row.seq) return;
    const activity = event.kind === "message.sent" ? void 0 : event;
    this.#update(c, { seq: event.seq, ts: event.at, activity, ...changed(row, event, me) });
  }
  /** The row of one conversation, made of its state: there is no other way to get just one. */
  async #fetch(c) {
    if (this.#next.size === 0 || this.#fetching.has(c)) return;
    this.#fetching.set(c, 0);
    try {
      let info;
      do {
        info = await this.#info(c);
      } while (info.seq < this.#fetching.get(c));
      const known = this.#rows.get(c);
      this.#rows.delete(c);
      this.#put({ ...rowOf(info), ...movedBy(known, info) });
    } catch (error) {
      if (error instanceof Rejected) this.#remove(c);
      else if (!(error instanceof NoAnswer || error instanceof ClientEnded)) throw error;
    } finally {
      this.#fetching.delete(c);
    }
  }
  /** However long the server cannot say. */
  async #info(c) {
    for (; ; ) {
      try {
        return await this.client.call("conversation.get", {}, c, { timeout: Infinity });
      } catch (error) {
        if (!(error instanceof Rejected && error.retryable)) throw error;
      }
    }
  }
};
function before(a, b) {
  const pinned = (row) => row.preference?.pinned_at ?? 0;
  return pinned(b) - pinned(a) || b.ts - a.ts || (a.c < b.c ? -1 : 1);
}
function movedBy(known, now) {
  if (known === void 0 || known.epoch !== now.epoch || known.seq !== now.seq) return {};
  return { ts: known.ts, activity: known.activity };
}
function rowOf(info) {
  const { c, kind, epoch, seq, number, unread, title, context, role, last, request } = info;
  const members = Object.keys(info.members).slice(0, SHOWN_MEMBERS);
  const ts = Math.max(last?.ts ?? 0, info.created_at);
  const row = { c, kind, epoch, seq, number, unread, title, context, role, members, last, ts };
  return request === void 0 ? row : { ...row, request };
}
function changed(row, event, me) {
  const { last } = row;
  switch (event.kind) {
    case "message.sent": {
      const { id, by, text: text2, type, attachments, number = row.number } = event.data;
      const fields = { id, seq: event.seq, by, ts: event.at, text: text2, type };
      if (attachments !== void 0) fields["attachments"] = attachments.map((each2) => each2.type);
      const said = Object.entries(fields).filter(([, value]) => value !== void 0);
      return { number, last: Object.fromEntries(said) };
    }
    case "message.edited":
      if (last?.id !== event.data.message_id || event.data.redacted) return {};
      return { last: { ...last, text: event.data.text } };
    case "message.deleted": {
      if (last?.id !== event.data.message_id) return {};
      const { text: _, attachments: __, ...rest } = last;
      return { last: { ...rest, deleted: true } };
    }
    case "message.restored": {
      if (last?.id !== event.data.message_id) return {};
      const { deleted: _, ...rest } = last;
      return { last: { ...rest, text: event.data.text } };
    }
    case "conversation.renamed":
      return { title: event.data.title };
    case "member.added": {
      const members = [.../* @__PURE__ */ new Set([...row.members, ...event.data.users])];
      return { members: members.slice(0, SHOWN_MEMBERS) };
    }
    case "member.removed":
      return { members: row.members.filter((user) => user !== event.data.user) };
    case "member.role_changed":
      return event.data.user === me ? { role: event.data.role } : {};
    default:
      return {};
  }
}

// src/link.ts
var WELCOME_TIMEOUT = 1e4;
var HEARTBEAT = 30;
var PATIENCE = 1.5;
var DOUBT = 5e3;
var REFRESH_AT = 0.8;
var Link = class {
  constructor(calls, follower, clock, ackEvery) {
    this.calls = calls;
    this.follower = follower;
    this.clock = clock;
    this.ackEvery = ackEvery;
  }
  calls;
  follower;
  clock;
  ackEvery;
  #acks = /* @__PURE__ */ new Map();
  #acking = false;
  #connection;
  #heard = 0;
  /** The application holds every event up to `seq`. */
  taken(conversation, seq) {
    if (this.ackEvery === void 0) return;
    this.#acks.set(conversation, seq);
    void this.#acknowledge(this.ackEvery);
  }
  /** Sign in; returns the welcome, or why there is none. */
  async open(connection, hello) {
    let refusal;
    const cancel = this.clock.after(
      WELCOME_TIMEOUT,
      () => connection.finish(refusal?.message ?? "no welcome in time")
    );
    const welcome = new Promise((resolve) => {
      connection.take((item) => {
        if (item.t === "welcome") {
          connection.take(void 0);
          resolve(item.d);
        } else if (item.t === "reply" && item.error !== void 0) {
          refusal = new Rejected(item.error);
        }
      });
      connection.send(this.calls.hello(hello));
    });
    const answer = await Promise.race([welcome, connection.ended]);
    cancel();
    if (!(answer instanceof Ended) || refusal === void 0) return answer;
    const advice = refusal.retryAfter ?? answer.options.advice;
    const options = advice === void 0 ? {} : { advice };
    return new Ended(refusal.message, { ...answer.options, ...options });
  }
  /** Until the connection ends; resolves with why. */
  async run(connection, welcome, token) {
    this.#connection = connection;
    this.#heard = this.clock.now();
    this.calls.connected(welcome.max_frame ?? DEFAULT_MAX_BYTES, (frame) => connection.send(frame));
    this.follower?.connected(connection.over, welcome.user);
    if (this.ackEvery !== void 0) void this.#acknowledge(this.ackEvery);
    const heartbeat = (welcome.heartbeat || HEARTBEAT) * 1e3;
    void this.#watch(connection, heartbeat * PATIENCE, heartbeat);
    if (token !== void 0 && welcome.ttl) {
      void this.#refresh(connection, token, welcome.ttl * 1e3);
    }
    const leave = this.#take(connection);
    const ended = await connection.ended;
    this.#connection = void 0;
    return leave() ?? ended;
  }
  /** There is reason to doubt the connection, since the network changed or the machine slept. */
  check() {
    if (this.#connection !== void 0) void this.#ask(this.#connection, DOUBT);
  }
  /** The network is gone: what is written would wait until somebody notices. */
  cut() {
    this.#connection?.finish("there is no network");
  }
  /** Items are handled one by one, in the order of their arrival. What it returns tells how the
   * server has taken leave, if it has. */
  #take(connection) {
    let leave;
    connection.take((item) => {
      this.#heard = this.clock.now();
      if (item.t === "reply") this.calls.reply(item);
      else if (item.t === "ping") this.calls.post({ ...item, t: "pong" });
      else if (item.t === "goodbye") {
        const advice = (item.d?.reconnect_after ?? 0) * 1e3;
        leave = new Ended("the server is shutting down", { advice });
        this.calls.pause();
      } else if (item.t !== "pong") this.follower?.take(item);
      if (leave !== void 0 && !this.calls.inFlight) connection.finish(leave);
    });
    return () => leave;
  }
  /** A server that is silent for long is asked once, then given up. */
  async #watch(connection, patience, answer) {
    while (!connection.over.aborted) {
      const quiet = this.clock.now() - this.#heard;
      if (quiet < patience) await sleep(this.clock, patience - quiet, connection.over);
      else await this.#ask(connection, answer);
    }
  }
  async #ask(connection, patience) {
    const asked = this.clock.now();
    this.calls.post({ t: "ping" });
    this.#heard = Math.min(this.#heard, asked - 1);
    await sleep(this.clock, patience, connection.over);
    if (this.#heard < asked) connection.finish("no sign of life from the server");
  }
  /** As long as there is a connection; the rest follows on the next one. */
  async #acknowledge(every) {
    if (this.#acking) return;
    this.#acking = true;
    await null;
    const over = this.#connection?.over;
    while (over?.aborted === false && this.#acks.size > 0) {
      for (const [c, seq] of this.#acks) {
        if (this.calls.post({ t: "ack", c, seq })) this.#acks.delete(c);
      }
      await sleep(this.clock, every, over);
    }
    this.#acking = false;
  }
  /** A new token before the old one runs out; without one the server ends the connection. */
  async #refresh(connection, fresh, ttl) {
    for (; ; ) {
      await sleep(this.clock, ttl * REFRESH_AT, connection.over);
      if (connection.over.aborted) return;
      try {
        const answer = await this.calls.perform(
          "refresh",
          { token: await fresh() },
          { timeout: ttl }
        );
        ttl = answer["ttl"] ? answer["ttl"] * 1e3 : ttl;
      } catch {
        ttl = Math.max(ttl * (1 - REFRESH_AT), 1e3);
      }
    }
  }
};

// src/outbox.ts
var Outbox = class {
  where = "the outbox";
  maxAge;
  #maxCommands;
  #maxBytes;
  #kept = /* @__PURE__ */ new Map();
  #bytes = 0;
  #last = 0;
  #owner;
  #opened = false;
  #keeping = Promise.resolve();
  #late = new Emitter();
  constructor(bounds = {}) {
    this.#maxCommands = bounds.maxCommands ?? 1e3;
    this.#maxBytes = bounds.maxBytes ?? 16 * 2 ** 20;
    this.maxAge = bounds.maxAge ?? Infinity;
  }
  /** What has no answer yet, the oldest first. */
  get waiting() {
    return [...this.#kept.values()].filter((each2) => each2.state === "queued");
  }
  /** For a client. What is in it may have been sent before. Rejects with `OutboxUnusable`. */
  async open() {
    if (this.#opened) throw new OutboxUnusable(this.where, "it is in use");
    this.#opened = true;
    try {
      const { owner, kept } = await this.load();
      this.#owner = kept.length > 0 ? owner : void 0;
      this.#bytes = 0;
      this.#kept.clear();
      for (const outgoing2 of kept) {
        outgoing2.reopen();
        this.#add(outgoing2);
        this.#late.emit("late", outgoing2);
      }
    } catch (error) {
      this.#opened = false;
      throw error;
    }
  }
  /** It is `user` who sends what is in it, and nobody else. Rejects with `OutboxForeign`. */
  async claim(user) {
    if (this.#owner === void 0) {
      this.#owner = user;
      await this.own(user);
    } else if (this.#owner !== user) throw new OutboxForeign(this.where);
  }
  /** Once this resolves, it is kept; calls resolve in the order in which they were made.
   *
   * If one of this client id is kept already, that is given back instead. If it rejects
   * (`OutboxFull`, `OutboxUnusable`), `outgoing` is not kept. */
  keep(outgoing2) {
    return this.#inTurn(() => this.#keep(outgoing2));
  }
  /** Tells of what gets into it otherwise than by `keep`: what was left in it, as it is opened, and
   * what is taken over. */
  onLate(listener) {
    return this.#late.on("late", listener);
  }
  async #keep(outgoing2) {
    if (!this.#opened) throw new ClientClosed();
    const known = this.#kept.get(key(outgoing2));
    if (known !== void 0) return known;
    const count = this.#kept.size;
    if (count >= this.#maxCommands || this.#bytes + outgoing2.size > this.#maxBytes) {
      throw new OutboxFull(count, this.#bytes);
    }
    outgoing2.n = this.#last + 1;
    await this.insert(outgoing2, this.#owner);
    this.#add(outgoing2);
    return outgoing2;
  }
  /** It has its answer. */
  async drop(outgoing2) {
    if (!this.#kept.delete(key(outgoing2))) return;
    this.#bytes -= outgoing2.size;
    await this.remove(outgoing2).catch(() => {
    });
  }
  /** The client has ended. What is in it stays. */
  async close() {
    this.#opened = false;
    await this.#keeping;
  }
  /** `take` what somebody else has left: it is given the last place that is taken, and the owner. */
  inherit(take) {
    return this.#inTurn(async () => {
      if (!this.#opened) return;
      for (const outgoing2 of await take(this.#last, this.#owner)) {
        outgoing2.reopen();
        this.#add(outgoing2);
        this.#late.emit("late", outgoing2);
      }
    });
  }
  #inTurn(act) {
    const done2 = this.#keeping.then(act);
    this.#keeping = done2.catch(() => void 0);
    return done2;
  }
  #add(outgoing2) {
    this.#kept.set(key(outgoing2), outgoing2);
    this.#bytes += outgoing2.size;
    this.#last = Math.max(this.#last, outgoing2.n);
  }
  // What a storage adds.
  async load() {
    return { owner: this.#owner, kept: [...this.waiting] };
  }
  async insert(_outgoing, _owner) {
  }
  async remove(_outgoing) {
  }
  async own(_user) {
  }
};
var key = (outgoing2) => `${outgoing2.lane} ${outgoing2.clientId}`;

// src/outgoing.ts
function isRepeatable(name, payload) {
  const marks = name === "message.read" && ("seq" in payload || "message_ids" in payload);
  return marks || isDurable(name);
}
var Outgoing = class {
  name;
  payload;
  conversation;
  clientId;
  at;
  size;
  /** Its place in the outbox. */
  n = 0;
  result;
  error;
  #waiters = [];
  constructor(record) {
    this.name = record.name;
    this.payload = record.payload;
    this.conversation = record.conversation;
    this.clientId = record.clientId;
    this.at = record.at;
    this.size = record.size;
  }
  /** What keeps its order: the commands for one conversation, or to one user. */
  get lane() {
    const to = this.conversation === void 0 ? this.payload["to"] : void 0;
    return JSON.stringify([this.conversation ?? null, to ?? null]);
  }
  get state() {
    if (this.result !== void 0) return "sent";
    return this.error === void 0 || this.error instanceof ClientEnded ? "queued" : "failed";
  }
  get record() {
    const { name, payload, conversation, clientId, at: at2, size } = this;
    return { name, payload, conversation, clientId, at: at2, size };
  }
  /** Resolves when it is durable, with the `ok` of its Reply. Rejects with what `Failed` says, or
   * `ClientEnded` if it is still kept when this client ends. */
  answer() {
    if (this.result !== void 0) return Promise.resolve(this.result);
    if (this.error !== void 0) return Promise.reject(this.error);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }
  succeed(result) {
    this.result = result;
    for (const each2 of this.#waiters.splice(0)) each2.resolve(result);
  }
  fail(error) {
    this.error = error;
    for (const each2 of this.#waiters.splice(0)) each2.reject(error);
  }
  /** The next attempt says that it is a repetition (SEND-06). */
  mayHaveHappened() {
    if (isDurable(this.name)) this.payload["attempt"] = (this.payload["attempt"] ?? 1) + 1;
  }
  /** Its client ended, and another takes it over. */
  reopen() {
    this.error = void 0;
    this.mayHaveHappened();
  }
};

// src/people.ts
var AT_ONCE = 100;
var People = class extends Model {
  constructor(client) {
    super();
    this.client = client;
  }
  client;
  #known = /* @__PURE__ */ new Map();
  #asked = /* @__PURE__ */ new Set();
  #wanted = /* @__PURE__ */ new Set();
  #off = false;
  /** What is known of a user. If nothing is, the server is asked, once and for several together,
   * and `onChange` tells when it has answered. */
  get(user) {
    const known = this.#known.get(user);
    if (known === void 0 && !this.#asked.has(user) && !this.#off) {
      if (this.#wanted.size === 0) queueMicrotask(() => void this.#ask());
      this.#wanted.add(user);
    }
    return known;
  }
  /** What is known of a user so far; nobody is asked. */
  known(user) {
    return this.#known.get(user);
  }
  /** An answer said who these are. */
  learn(users) {
    for (const [user, fields] of Object.entries(users)) this.#known.set(user, fields);
    this.changed();
  }
  async #ask() {
    const wanted = [...this.#wanted].filter((user) => !this.#known.has(user));
    this.#wanted.clear();
    for (let at2 = 0; at2 < wanted.length; at2 += AT_ONCE) {
      const users = wanted.slice(at2, at2 + AT_ONCE);
      for (const user of users) this.#asked.add(user);
      try {
        await this.client.call("user.get", { users });
      } catch (error) {
        if (error instanceof Rejected && error.code === "FEATURE_DISABLED") this.#off = true;
        else for (const user of users) this.#asked.delete(user);
      }
    }
  }
};

// src/reads.ts
var WAIT2 = 2e3;
var MANY = 10;
var Reads = class {
  constructor(client) {
    this.client = client;
    client.on("state", ({ state }) => state === "online" && this.#marks.size > 0 && this.#later());
  }
  client;
  #marks = /* @__PURE__ */ new Map();
  #upTo = /* @__PURE__ */ new Map();
  #moves = 0;
  #cancel;
  /** How far a conversation was read here, whether or not the server knows yet. */
  upTo(c) {
    return this.#upTo.get(c) ?? 0;
  }
  /** Everything up to `seq` has been read. Of several marks of a conversation the last is sent. */
  read(c, seq) {
    if (seq <= this.upTo(c)) return;
    this.#upTo.set(c, seq);
    this.client.inbox.read(c);
    this.#marks.set(c, seq);
    this.#moves++;
    if (this.#moves >= MANY) void this.flush();
    else this.#later();
  }
  /** Send now. Without a connection they wait for the next one. */
  async flush() {
    this.#cancel?.();
    this.#cancel = void 0;
    this.#moves = 0;
    if (this.client.state.state !== "online") return;
    const marks = [...this.#marks];
    this.#marks.clear();
    await Promise.all(marks.map(([c, seq]) => this.#send(c, seq)));
  }
  async #send(c, seq) {
    try {
      await this.client.read(c, seq);
    } catch (error) {
      const again2 = error instanceof NoAnswer || error instanceof Rejected && error.retryable;
      if (this.upTo(c) === seq) this.#upTo.delete(c);
      if (again2) this.read(c, seq);
    }
  }
  #later() {
    this.#cancel ??= this.client.clock.after(WAIT2, () => void this.flush());
  }
};

// src/sender.ts
var SLOTS = WINDOW / 2;
var Sender = class {
  /** `tell`: what becomes of a command, in line with the events that it led to. */
  constructor(outbox, calls, clock, random, tell) {
    this.outbox = outbox;
    this.calls = calls;
    this.clock = clock;
    this.random = random;
    this.tell = tell;
  }
  outbox;
  calls;
  clock;
  random;
  tell;
  #slots = new Slots(SLOTS);
  #lanes = /* @__PURE__ */ new Map();
  #why;
  #waits = /* @__PURE__ */ new Set();
  #off = () => {
  };
  /** Begin with what was left from the last time. */
  start() {
    if (this.#why === void 0) this.#off = this.outbox.onLate((outgoing2) => this.#add(outgoing2));
    for (const outgoing2 of this.outbox.waiting) this.#add(outgoing2);
  }
  async enqueue(outgoing2) {
    const kept = await this.outbox.keep(outgoing2);
    if (kept === outgoing2) this.#add(outgoing2);
    return kept;
  }
  /** This client sends nothing any more; what is kept stays so. */
  end(why) {
    this.#why = why;
    this.#off();
    for (const wait of this.#waits) wait.abort();
    for (const outgoing2 of this.outbox.waiting) outgoing2.fail(why());
  }
  #add(outgoing2) {
    if (this.#why !== void 0) return outgoing2.fail(this.#why());
    const waiting = this.#lanes.get(outgoing2.lane);
    if (waiting !== void 0) {
      waiting.push(outgoing2);
    } else {
      const lane = [outgoing2];
      this.#lanes.set(outgoing2.lane, lane);
      void this.#serve(outgoing2.lane, lane);
    }
  }
  async #serve(lane, waiting) {
    for (let outgoing2; (outgoing2 = waiting[0]) !== void 0; ) {
      try {
        await this.#send(outgoing2);
      } catch (error) {
        if (error instanceof ClientEnded) return;
        outgoing2.fail(error);
        this.tell({ type: "failed", outgoing: outgoing2, error });
      }
      waiting.shift();
      await this.outbox.drop(outgoing2);
    }
    this.#lanes.delete(lane);
  }
  /** Until it has its answer. Throws a final `Rejected`, `Expired` or `ClientEnded`. */
  async #send(outgoing2) {
    const deadline = outgoing2.at + this.outbox.maxAge;
    const late = new AbortController();
    const cancel = this.clock.after(deadline - this.clock.now(), () => late.abort());
    this.#waits.add(late);
    try {
      for (const bound of exponential()) {
        const mine = await this.#slots.acquire(late.signal);
        if (this.#why !== void 0) throw this.#why();
        if (!mine) throw expired(outgoing2);
        let wait;
        try {
          const no = await this.#try(outgoing2, deadline);
          if (no === void 0) return;
          wait = delay(bound, this.random, no.retryAfter);
          if (no.code === "RATE_LIMITED") {
            await sleep(this.clock, wait, late.signal);
            wait = 0;
          }
        } finally {
          this.#slots.release();
        }
        await sleep(this.clock, wait, late.signal);
      }
    } finally {
      this.#waits.delete(late);
      cancel();
    }
  }
  /** The no after which it may be tried again, if any. */
  async #try(outgoing2, deadline) {
    const { name, payload, conversation } = outgoing2;
    for (; ; ) {
      try {
        await this.calls.perform(name, payload, {
          conversation,
          timeout: Math.max(deadline - this.clock.now(), 0),
          then: (result) => {
            outgoing2.succeed(result);
            this.tell({ type: "sent", outgoing: outgoing2, result });
          }
        });
        return void 0;
      } catch (error) {
        if (error instanceof CallTimeout) {
          if (error.sent) outgoing2.mayHaveHappened();
          throw expired(outgoing2, error.sent);
        }
        if (error instanceof ConnectionLost) continue;
        if (!(error instanceof Rejected) || !error.retryable) throw error;
        if (error.mayHaveHappened) outgoing2.mayHaveHappened();
        return error;
      }
    }
  }
};
function expired(outgoing2, sent = false) {
  const { name, payload, conversation } = outgoing2;
  return new Expired([name, payload, conversation], sent || (payload["attempt"] ?? 1) > 1);
}

// src/store.ts
var MemoryStore = class {
  #values = /* @__PURE__ */ new Map();
  get(key2) {
    return this.#values.get(key2);
  }
  set(key2, value) {
    if (value === void 0) this.#values.delete(key2);
    else this.#values.set(key2, value);
  }
};
function browserStore(prefix = "palaver:") {
  const memory = new MemoryStore();
  return {
    get(key2) {
      try {
        return memory.get(key2) ?? localStorage.getItem(prefix + key2) ?? void 0;
      } catch {
        return memory.get(key2);
      }
    },
    set(key2, value) {
      memory.set(key2, void 0);
      try {
        if (value === void 0) localStorage.removeItem(prefix + key2);
        else localStorage.setItem(prefix + key2, value);
      } catch {
        memory.set(key2, value);
      }
    }
  };
}

// src/http.ts
var TIMEOUT = 6e4;
function http(clock) {
  return typeof XMLHttpRequest === "undefined" ? fetched : (request) => requested(request, clock);
}
var fetched = async ({ url, body, progress, ...request }) => {
  const answer = await fetch(url, body === void 0 ? request : { ...request, body });
  const text2 = await answer.text();
  if (answer.ok && body instanceof Blob) progress?.(body.size);
  return { status: answer.status, text: text2 };
};
function requested(asked, clock) {
  const { method, url, headers = {}, body, progress, signal } = asked;
  const request = new XMLHttpRequest();
  const abort = () => request.abort();
  let cancel = clock.after(TIMEOUT, abort);
  const answered = new Promise((resolve, reject) => {
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new Error("the connection broke"));
    request.onabort = () => reject(new Error("nothing moved any more"));
    request.upload.onprogress = ({ loaded }) => {
      cancel();
      cancel = clock.after(TIMEOUT, abort);
      progress?.(loaded);
    };
  });
  request.open(method, url);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  signal?.addEventListener("abort", abort);
  request.send(body ?? null);
  return answered.finally(() => {
    cancel();
    signal?.removeEventListener("abort", abort);
  });
}

// src/uploads.ts
var RETRIES = 3;
async function upload(content, { name, mime, progress = () => {
}, signal }, { url, token, clock, random, http: ask = http(clock) }) {
  const { size } = content;
  signal.throwIfAborted();
  const fresh = await token();
  const step = async (request) => {
    const headers = { Authorization: `Bearer ${fresh}`, ...request.headers };
    const bounds = exponential();
    for (let retries = 0; ; retries++) {
      signal.throwIfAborted();
      let failed;
      try {
        return told(await ask({ ...request, url: url + request.url, headers, signal }), url);
      } catch (error) {
        signal.throwIfAborted();
        failed = error instanceof Rejected ? error : new UploadFailed(error.message);
      }
      const again2 = failed instanceof UploadFailed || failed.retryable;
      if (!again2 || retries === RETRIES) throw failed;
      const advice = failed instanceof Rejected ? failed.retryAfter : void 0;
      await sleep(clock, delay(bounds.next().value, random, advice), signal);
    }
  };
  const file = {
    name: name ?? (content.name || "file"),
    mime: mime ?? (content.type.replace(/;.*/, "") || "application/octet-stream"),
    size
  };
  const json = { "Content-Type": "application/json" };
  const place = "/v1/attachments";
  const { id } = await step({
    ...{ method: "POST", url: place, headers: json, body: JSON.stringify(file) }
  });
  await step({
    ...{ method: "PUT", url: `${place}/${id}`, body: content },
    progress: (done2) => progress(done2, size)
  });
  await step({ method: "POST", url: `${place}/${id}/complete` });
  return id;
}
function told({ status, text: text2 }, url) {
  let said;
  try {
    said = JSON.parse(text2);
  } catch {
    throw new Error(`no palaver server at ${url}`);
  }
  if (status < 300) return said;
  if (said["code"] === void 0) throw new Error(`the server answered ${status}`);
  throw new Rejected({ ...said, message: said["detail"] });
}

// src/client.ts
var CALL_TIMEOUT = 1e4;
var RETRIES2 = 3;
var TOKEN_TIMEOUT = 3e4;
var BAD_TOKEN = 3500;
var Client = class extends Commands {
  outbox;
  /** What is one's own: preferences, drafts, stars, blocks. */
  personal;
  /** The list of conversations. */
  inbox;
  /** Who the users are, as far as the server says. */
  people;
  /** Gathers read marks. */
  reads;
  clock;
  store;
  /** What the server said of the last connection: user, ttl, durability, … */
  welcome;
  /** To be shown; `on("state", …)` tells of changes. */
  state = { state: "closed" };
  #url;
  #token;
  #options;
  #random;
  #timers;
  #emitter = new Emitter();
  #calls;
  #follower;
  #link;
  #sender;
  #changed = new Emitter();
  #conversations = /* @__PURE__ */ new Map();
  #why;
  #over = new AbortController();
  #started;
  #waiting;
  #unhook = () => {
  };
  constructor(url, token, options = {}) {
    super();
    this.#url = address(url);
    this.#token = token;
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.clock = this.#timers = new Timers(options.clock ?? systemClock);
    this.store = options.store ?? browserStore();
    this.outbox = options.outbox ?? new Outbox();
    const follows = options.pushes ?? true;
    this.#calls = new Calls(this.clock);
    this.#follower = follows ? this.#follow() : void 0;
    const every = options.ackEvery === void 0 ? 500 : options.ackEvery;
    const ackEvery = follows && every !== null ? every : void 0;
    this.#link = new Link(this.#calls, this.#follower, this.clock, ackEvery);
    const tell = follows ? (push) => this.#push(push) : () => {
    };
    this.#sender = new Sender(this.outbox, this.#calls, this.clock, this.#random, tell);
    this.people = new People(this);
    this.personal = new Personal(this);
    this.reads = new Reads(this);
    this.inbox = new Inbox(this);
  }
  /** Whom the server takes this client for; undefined before the first connection. */
  get user() {
    return this.welcome?.user;
  }
  /** Start connecting. It does not wait for it; calls do. What has ended does not begin again. */
  connect() {
    if (this.#why === void 0) this.#started ??= this.#start();
  }
  /** Resolves as soon as there is a connection. Rejects with `ClientEnded`. */
  connected() {
    this.connect();
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.#why !== void 0) reject(this.#why());
        else if (this.state.state === "online") resolve(this.welcome);
        else return false;
        return true;
      };
      if (look()) return;
      const off = this.on("state", () => look() && off());
    });
  }
  /** Close the connection for good; no timer is left. What is in the outbox stays there. */
  async close() {
    this.#end(() => new ClientClosed());
    this.#waiting?.stop.abort();
    this.#tell({ state: "closed" });
    this.#timers.end();
    await this.#started;
    await this.#release();
  }
  /** Call `listener` with every push of a type (`event`, `signal`, `reload`, `state`, `sent`,
   * `failed`), every event or signal of a name (`message.sent`), or every `push`. It is called in
   * order and before anything later is looked at. What it returns takes the listener away. */
  on(name, listener) {
    return this.#emitter.on(name, listener);
  }
  /** The model of a conversation, the same one each time until it is closed. */
  conversation(c, options) {
    let found = this.#conversations.get(c);
    if (found === void 0) {
      found = new Conversation(this, c, options, () => this.#conversations.delete(c));
      this.#conversations.set(c, found);
    }
    return found;
  }
  /** Carry out a command; resolves with the `ok` of its Reply. Any number may be in flight.
   *
   * Without a connection it waits for one; calls are written in the order in which they were made.
   * A durable command gets a `client_id` unless it has one, and is written again if the connection
   * breaks: it happens once. Any other rejects with `ConnectionLost` then. A no that is retryable
   * is tried again, at most three times and not before the server asked for it.
   *
   * Rejects with `Rejected` (the server's no), `CallTimeout` when all of that has taken `timeout`
   * ms, or `ClientEnded`. */
  async call(name, payload = {}, c, options = {}) {
    const asked = { ...payload };
    if (isDurable(name)) asked["client_id"] ??= newId();
    const observe = this.#follower?.observer(name, c, asked);
    const then = (ok) => {
      observe?.(ok);
      if (ok["users"] !== void 0 && name !== "presence.get") this.people.learn(ok["users"]);
    };
    const deadline = this.clock.now() + (options.timeout ?? CALL_TIMEOUT);
    const bounds = exponential();
    for (let retries = 0; ; retries++) {
      const timeout = deadline - this.clock.now();
      try {
        const ok = await this.#calls.perform(name, asked, { conversation: c, timeout, then });
        return ok;
      } catch (error) {
        if (!(error instanceof Rejected) || !error.retryable || retries === RETRIES2) throw error;
        const wait = delay(bounds.next().value, this.#random, error.retryAfter);
        if (this.clock.now() + wait >= deadline) throw error;
        if (isDurable(name) && error.mayHaveHappened) {
          asked["attempt"] = (asked["attempt"] ?? 1) + 1;
        }
        await sleep(this.clock, wait, this.#over.signal);
      }
    }
  }
  /** Say something to which no answer is wanted, if there is a connection now: typing. */
  tell(name, payload, c) {
    this.#calls.post({ t: name, c, d: payload });
  }
  /** Keep a command in the outbox; once this resolves, it outlives whatever that outlives.
   *
   * It is sent whenever there is a connection, repeated under its `client_id` until it has an
   * answer, and not before the server asked for it. What was enqueued for one conversation is
   * carried out in that order; an ordinary call may overtake it. What becomes of it is pushed as
   * `Sent` or `Failed`. Enqueued again under the same `client_id`, it is kept once.
   *
   * For durable commands, and `message.read` with a position; a TypeError for others. Rejects with
   * `Rejected` or `BadFrame` if it could never be sent, `OutboxFull`, `OutboxUnusable`, or
   * `ClientEnded`; then it is not kept. */
  async enqueueCall(name, payload, c) {
    if (this.#why !== void 0) throw this.#why();
    const asked = { ...payload };
    if (!isRepeatable(name, asked)) {
      throw new TypeError(`${name} cannot be repeated safely, so it cannot be enqueued`);
    }
    const clientId = asked["client_id"] ?? newId();
    if (isDurable(name)) asked["client_id"] = clientId;
    const item = this.#calls.encode(0, name, asked, c);
    const kept = parse(item)[0].d;
    await this.#opened();
    const at2 = this.clock.now();
    const record = { name, payload: kept, conversation: c, clientId, at: at2, size: item.length };
    return this.#sender.enqueue(new Outgoing(record));
  }
  /** Where files are: `upload` brings them there, and `attachments` tells paths below it. */
  get httpUrl() {
    return (this.#options.httpUrl ?? httpAddress(this.#url)).replace(/\/$/, "");
  }
  /** Bring a file, or a blob, to the server; the id is for `uploads` of a message. What does not
   * get through is tried again, at most three times (CLI-12); then it can be given once more.
   *
   * Rejects with `Rejected` (the type, the size, …), `UploadFailed`, `ClientEnded`, what the
   * token's function rejects with, or the reason of `options.signal`. */
  upload(content, options = {}) {
    const { signal } = options;
    const over = this.#over.signal;
    const given2 = { ...options, signal: signal === void 0 ? over : either(signal, over) };
    return upload(content, given2, {
      url: this.httpUrl,
      token: async () => typeof this.#token === "string" ? this.#token : this.#fresh(),
      clock: this.clock,
      random: this.#random,
      http: this.#options.http
    });
  }
  /** Try now instead of at `retryAt`; not before the time that the server asked for. With a
   * connection, see whether it is alive. The browser's `online` event and a page that is looked at
   * again do so by themselves. */
  retryNow() {
    const waiting = this.#waiting;
    if (waiting === void 0) return this.#link.check();
    const patience = waiting.soonest - this.clock.now();
    if (patience <= 0) waiting.stop.abort();
    else this.clock.after(patience, () => waiting.stop.abort());
  }
  /** Rows of the inbox that changed while there was no connection, and conversations that are left.
   * For the models. */
  onRows(listener) {
    return this.#changed.on("rows", listener);
  }
  #follow() {
    return new Follower(this.#calls, this.clock, this.#random, {
      push: (push) => this.#push(push),
      changed: (rows, left) => this.#changed.emit("rows", { rows, left })
    });
  }
  #push(push) {
    this.#emitter.emit("push", push);
    this.#emitter.emit(push.type, push);
    if (push.type === "event" || push.type === "signal") {
      this.#emitter.emit(push.kind, push);
    }
    if (push.type === "event" && push.data.by !== this.user) {
      this.#link.taken(push.conversation, push.seq);
    }
  }
  #opening;
  /** The outbox is open, and what was left in it is being sent. */
  #opened() {
    return this.#opening ??= this.outbox.open().then(() => this.#sender.start());
  }
  #released;
  /** Whoever comes next may have the outbox. */
  #release() {
    const opened2 = this.#opening;
    if (opened2 === void 0) return Promise.resolve();
    return this.#released ??= opened2.then(
      () => this.outbox.close(),
      () => {
      }
      // it is not ours
    );
  }
  async #start() {
    this.#unhook = pageEvents(
      () => this.retryNow(),
      () => void this.reads.flush(),
      () => this.#link.cut()
    );
    try {
      await this.#opened();
    } catch (error) {
      const reason = error.message;
      this.#end(() => new ReconnectFailed(reason));
      this.#tell({ state: "failed", reason });
      return;
    }
    await this.#run();
  }
  /** Connect, stay, come back. */
  async #run() {
    const backoff = this.#options.backoff ?? exponential;
    let bounds = backoff();
    while (this.#why === void 0) {
      this.#tell({ state: "connecting" });
      const { ended, was } = await this.#attempt();
      let expired2 = false;
      if (was === "online") {
        bounds = backoff();
        expired2 = ended.options.code === BAD_TOKEN && typeof this.#token !== "string";
      }
      this.#calls.disconnected();
      this.#follower?.disconnected();
      if (this.#why !== void 0) return;
      const bound = bounds.next();
      if (ended.final && !expired2 || bound.done) return this.#giveUp(ended);
      await this.#wait(ended, delay(bound.value, this.#random, ended.options.advice));
    }
  }
  async #wait(ended, wait) {
    const now = this.clock.now();
    const stop = new AbortController();
    this.#waiting = { soonest: now + (ended.options.advice ?? 0), stop };
    this.#tell({ state: "waiting", reason: ended.reason, retryAt: now + wait });
    await sleep(this.clock, wait, stop.signal);
    this.#waiting = void 0;
  }
  /** One connection, from the token to its end. */
  async #attempt() {
    const fresh = typeof this.#token === "string" ? void 0 : () => this.#fresh();
    const failed = (ended) => ({ ended, was: "connecting" });
    let token;
    try {
      token = fresh === void 0 ? this.#token : await fresh();
    } catch (error) {
      return failed(new Ended(`no token to be had: ${error?.message ?? error}`));
    }
    const left = this.#over.signal;
    if (left.aborted) return failed(new Ended("the client left"));
    const connection = await Connection.open(
      this.#url,
      this.#options.socket ?? webSocket,
      this.clock,
      left
    );
    const { device } = this.#options;
    const hello = device === void 0 ? { token } : { token, device };
    const welcome = await this.#link.open(connection, hello);
    if (welcome instanceof Ended) return failed(welcome);
    this.welcome = welcome;
    try {
      await this.outbox.claim(welcome.user);
    } catch (error) {
      const cause = error;
      connection.finish(cause.message);
      return failed(new Ended(cause.message, { cause, final: cause instanceof OutboxForeign }));
    }
    if (connection.over.aborted) return failed(await connection.ended);
    this.#tell({ state: "online", user: welcome.user });
    return { ended: await this.#link.run(connection, welcome, fresh), was: "online" };
  }
  /** What the token's function gives. */
  async #fresh() {
    const token = this.#token;
    const asked = async () => token();
    return within(this.clock, TOKEN_TIMEOUT, this.#over.signal, asked());
  }
  #giveUp(ended) {
    const { reason, final } = ended;
    const { code, cause } = ended.options;
    if (cause instanceof OutboxForeign) this.#end(() => new OutboxForeign(cause.where));
    else if (final) this.#end(() => new Refused(reason, code));
    else this.#end(() => new ReconnectFailed(reason));
    void this.#release();
    this.#tell(final ? { state: "refused", reason, code } : { state: "failed", reason });
  }
  #end(why) {
    if (this.#why !== void 0) return;
    this.#why = why;
    this.#over.abort(why());
    this.#unhook();
    this.#sender.end(why);
    this.#calls.end(why);
  }
  #tell(state) {
    if (this.state.state === "closed" && state.state === "closed") return;
    this.state = state;
    this.#push({ type: "state", ...state });
  }
};

// src/grouping.ts
function grouped(messages, within2 = 3e5) {
  return runs(messages, (last, next) => {
    const isOnes = isSaid(last) && isSaid(next) && next.by === last.by;
    return isOnes && next.ts - last.ts <= within2;
  });
}
var isSaid = ({ by, kind = "message.sent" }) => by !== void 0 && kind === "message.sent";
function groupedByDay(messages, timeZone) {
  const format = new Intl.DateTimeFormat("sv-SE", timeZone === void 0 ? {} : { timeZone });
  const day = ({ ts }) => format.format(ts);
  return runs(messages, (last, next) => day(last) === day(next)).map((run) => ({
    day: day(run[0]),
    messages: run
  }));
}
function runs(messages, together) {
  const found = [];
  for (const message of messages) {
    const run = found.at(-1);
    if (run !== void 0 && together(run.at(-1), message)) run.push(message);
    else found.push([message]);
  }
  return found;
}

// src/indexeddb-outbox.ts
var STORE = "outgoing";
var IndexedDBOutbox = class extends Outbox {
  constructor(name, bounds) {
    super(bounds);
    this.name = name;
    this.where = `IndexedDB ${name}`;
  }
  name;
  where;
  #page = newId();
  #db;
  #leave = () => {
  };
  #closed = new AbortController();
  async close() {
    await super.close();
    this.#closed.abort();
    this.#db?.close();
    this.#db = void 0;
    this.#leave();
  }
  async load() {
    try {
      this.#db = await opened(this.name);
      this.#closed = new AbortController();
      const living = await this.#enter();
      let owner;
      const found = await this.#adopt((each2) => {
        if (living.has(each2.page)) return false;
        return each2.owner === void 0 || each2.owner === (owner ??= each2.owner);
      }, 0);
      for (const page of living) void this.#wait(page);
      return { owner, kept: found.map(outgoing) };
    } catch (error) {
      this.#leave();
      throw this.#unusable(error);
    }
  }
  insert(kept, owner) {
    const stored = { ...kept.record, page: this.#page, n: kept.n, owner };
    return this.#do((store) => store.add(stored));
  }
  remove(kept) {
    return this.#do((store) => store.delete([this.#page, kept.n]));
  }
  own(owner) {
    return this.#do(
      (store) => each(store, (stored, cursor) => {
        if (stored.page === this.#page) cursor.update({ ...stored, owner });
      })
    );
  }
  /** What is `wanted` is this page's from now on, in its old order behind the place `last`. */
  async #adopt(wanted, last) {
    let found = [];
    await this.#do(
      (store) => each(
        store,
        (stored, cursor) => {
          if (!wanted(stored)) return;
          found.push(stored);
          cursor.delete();
        },
        () => {
          found.sort((a, b) => a.at - b.at || a.n - b.n);
          found = found.map((each2, index) => ({ ...each2, page: this.#page, n: last + index + 1 }));
          for (const each2 of found) store.add(each2);
        }
      )
    );
    return found;
  }
  /** Until `page` is closed, which a page that is loaded anew is only after the new one has begun. */
  async #wait(page) {
    const { signal } = this.#closed;
    try {
      await navigator.locks.request(`${this.name}/${page}`, { signal }, () => void 0);
      await this.inherit(async (last, owner) => {
        const ours = (each2) => each2.owner === void 0 || each2.owner === owner;
        return (await this.#adopt((each2) => each2.page === page && ours(each2), last)).map(outgoing);
      });
    } catch {
    }
  }
  /** Say that this page lives; returns those that do besides. */
  async #enter() {
    if (typeof navigator === "undefined" || navigator.locks === void 0) return /* @__PURE__ */ new Set();
    const prefix = `${this.name}/`;
    await new Promise((entered, failed) => {
      navigator.locks.request(prefix + this.#page, () => {
        entered();
        return new Promise((leave) => this.#leave = leave);
      }).catch(failed);
    });
    const { held = [] } = await navigator.locks.query();
    const ours = held.filter(
      (lock) => lock.name.startsWith(prefix) && lock.name !== prefix + this.#page
    );
    return new Set(ours.map((lock) => lock.name.slice(prefix.length)));
  }
  async #do(act) {
    try {
      const transaction = this.#db.transaction(STORE, "readwrite", { durability: "strict" });
      act(transaction.objectStore(STORE));
      await done(transaction);
    } catch (error) {
      throw this.#unusable(error);
    }
  }
  #unusable(error) {
    return new OutboxUnusable(this.where, error instanceof Error ? error.message : String(error));
  }
};
var outgoing = (stored) => Object.assign(new Outgoing(stored), { n: stored.n });
function browserOutbox(name, bounds) {
  return typeof indexedDB === "undefined" ? new Outbox(bounds) : new FallingBack(name, bounds);
}
var FallingBack = class extends IndexedDBOutbox {
  #usable = true;
  async load() {
    try {
      return await super.load();
    } catch {
      this.#usable = false;
      return { owner: void 0, kept: [...this.waiting] };
    }
  }
  async insert(outgoing2, owner) {
    if (this.#usable) await super.insert(outgoing2, owner);
  }
  async remove(outgoing2) {
    if (this.#usable) await super.remove(outgoing2);
  }
  async own(user) {
    if (this.#usable) await super.own(user);
  }
};
function opened(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: ["page", "n"] });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
function done(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}
function each(store, visit, after = () => {
}) {
  const request = store.openCursor();
  request.onsuccess = () => {
    const cursor = request.result;
    if (cursor === null) return after();
    visit(cursor.value, cursor);
    cursor.continue();
  };
}

// src/mentions.ts
function findMentions(text2, called) {
  const users = /* @__PURE__ */ new Map();
  for (const [user, name] of called) if (name && !users.has(name)) users.set(name, user);
  if (users.size === 0 || !text2.includes("@")) return [];
  const names = [...users.keys()].sort((a, b) => b.length - a.length).map(escaped);
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])@(${names.join("|")})(?![\\p{L}\\p{N}_])`, "gu");
  return [...text2.matchAll(pattern)].map((found) => ({
    user: users.get(found[1]),
    start: found.index,
    end: found.index + found[0].length
  }));
}
function mentionsIn(text2, called) {
  return [...new Set(findMentions(text2, called).map(({ user }) => user))];
}
var escaped = (name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

// src/text.ts
function parts(text2, entities = [], called = []) {
  const points = [...text2];
  const found = [];
  let at2 = 0;
  const plain = (to) => {
    if (to > at2) found.push(...withMentions(points.slice(at2, to).join(""), called));
  };
  for (const { kind, offset, length, url } of entities) {
    if (kind !== "link" || url === void 0 || offset < at2) continue;
    plain(offset);
    at2 = offset + length;
    found.push({ text: points.slice(offset, at2).join(""), url });
  }
  plain(points.length);
  return found;
}
function withMentions(text2, called) {
  const found = [];
  let at2 = 0;
  for (const { user, start, end } of findMentions(text2, called)) {
    if (start > at2) found.push({ text: text2.slice(at2, start) });
    found.push({ text: text2.slice(start, end), user });
    at2 = end;
  }
  if (at2 < text2.length) found.push({ text: text2.slice(at2) });
  return found;
}
export {
  BadFrame,
  CallTimeout,
  Client,
  ClientClosed,
  ClientEnded,
  Commands,
  ConnectionLost,
  Conversation,
  DISCONNECTS,
  Draft,
  Expired,
  Inbox,
  IndexedDBOutbox,
  MemoryStore,
  MessageStatus,
  Model,
  NoAnswer,
  Outbox,
  OutboxForeign,
  OutboxFull,
  OutboxUnusable,
  PalaverError,
  People,
  Personal,
  Reads,
  ReconnectFailed,
  Refused,
  Rejected,
  UploadFailed,
  VERSION,
  browserOutbox,
  browserStore,
  exponential,
  grouped,
  groupedByDay,
  linear,
  mayBecome,
  mayReconnect,
  mentionsIn,
  newId,
  parts,
  shownStatus,
  systemClock
};

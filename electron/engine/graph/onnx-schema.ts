/** @file The messages of the ONNX file format (field names and numbers of its public specification, IR version 10). */
import protobuf from 'protobufjs'

type FieldRule = readonly [id: number, type: string, rule?: 'repeated' | 'packed']

const messages: Record<string, Record<string, FieldRule>> = {
  StringStringEntryProto: { key: [1, 'string'], value: [2, 'string'] },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int64'] },
  Segment: { begin: [1, 'int64'], end: [2, 'int64'] },
  TensorProto: {
    dims: [1, 'int64', 'packed'], dataType: [2, 'int32'], segment: [3, 'Segment'], floatData: [4, 'float', 'packed'], int32Data: [5, 'int32', 'packed'],
    stringData: [6, 'bytes', 'repeated'], int64Data: [7, 'int64', 'packed'], name: [8, 'string'], docString: [12, 'string'], rawData: [9, 'bytes'],
    doubleData: [10, 'double', 'packed'], uint64Data: [11, 'uint64', 'packed'], externalData: [13, 'StringStringEntryProto', 'repeated'], dataLocation: [14, 'int32'],
  },
  SparseTensorProto: { values: [1, 'TensorProto'], indices: [2, 'TensorProto'], dims: [3, 'int64', 'packed'] },
  Dimension: { dimValue: [1, 'int64'], dimParam: [2, 'string'], denotation: [3, 'string'] },
  TensorShapeProto: { dim: [1, 'Dimension', 'repeated'] },
  TensorTypeProto: { elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] },
  SequenceTypeProto: { elemType: [1, 'TypeProto'] },
  MapTypeProto: { keyType: [1, 'int32'], valueType: [2, 'TypeProto'] },
  OptionalTypeProto: { elemType: [1, 'TypeProto'] },
  TypeProto: {
    tensorType: [1, 'TensorTypeProto'], sequenceType: [4, 'SequenceTypeProto'], mapType: [5, 'MapTypeProto'], denotation: [6, 'string'],
    sparseTensorType: [8, 'TensorTypeProto'], optionalType: [9, 'OptionalTypeProto'],
  },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'], docString: [3, 'string'] },
  AttributeProto: {
    name: [1, 'string'], refAttrName: [21, 'string'], docString: [13, 'string'], type: [20, 'int32'], f: [2, 'float'], i: [3, 'int64'], s: [4, 'bytes'], t: [5, 'TensorProto'],
    g: [6, 'GraphProto'], sparseTensor: [22, 'SparseTensorProto'], tp: [14, 'TypeProto'], floats: [7, 'float', 'packed'], ints: [8, 'int64', 'packed'],
    strings: [9, 'bytes', 'repeated'], tensors: [10, 'TensorProto', 'repeated'], graphs: [11, 'GraphProto', 'repeated'],
  },
  NodeProto: {
    input: [1, 'string', 'repeated'], output: [2, 'string', 'repeated'], name: [3, 'string'], opType: [4, 'string'], domain: [7, 'string'], overload: [8, 'string'],
    attribute: [5, 'AttributeProto', 'repeated'], docString: [6, 'string'],
  },
  GraphProto: {
    node: [1, 'NodeProto', 'repeated'], name: [2, 'string'], initializer: [5, 'TensorProto', 'repeated'], sparseInitializer: [15, 'SparseTensorProto', 'repeated'],
    docString: [10, 'string'], input: [11, 'ValueInfoProto', 'repeated'], output: [12, 'ValueInfoProto', 'repeated'], valueInfo: [13, 'ValueInfoProto', 'repeated'],
  },
  FunctionProto: {
    name: [1, 'string'], input: [4, 'string', 'repeated'], output: [5, 'string', 'repeated'], attribute: [6, 'string', 'repeated'], node: [7, 'NodeProto', 'repeated'],
    opsetImport: [9, 'OperatorSetIdProto', 'repeated'], domain: [10, 'string'], attributeProto: [11, 'AttributeProto', 'repeated'],
  },
  ModelProto: {
    irVersion: [1, 'int64'], opsetImport: [8, 'OperatorSetIdProto', 'repeated'], producerName: [2, 'string'], producerVersion: [3, 'string'], domain: [4, 'string'],
    modelVersion: [5, 'int64'], docString: [6, 'string'], graph: [7, 'GraphProto'], metadataProps: [14, 'StringStringEntryProto', 'repeated'],
    functions: [25, 'FunctionProto', 'repeated'],
  },
}

function makeRoot(): protobuf.Root {
  const root = new protobuf.Root()
  for (const [name, fields] of Object.entries(messages)) {
    const type = new protobuf.Type(name)
    for (const [field, [id, fieldType, rule]] of Object.entries(fields)) {
      type.add(new protobuf.Field(field, id, fieldType, rule === undefined ? undefined : 'repeated', undefined, rule === 'packed' ? { packed: true } : rule === 'repeated' ? { packed: false } : undefined))
    }
    root.add(type)
  }
  return root
}

const root = makeRoot()
/** The message type of a whole ONNX file. */
export const ModelProto = root.lookupType('ModelProto')
export const GraphProto = root.lookupType('GraphProto')
export const TensorProto = root.lookupType('TensorProto')

/** AttributeProto.type of each kind of attribute. */
export const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const
/** TensorProto.data_location of weights kept in another file. */
export const externalLocation = 1

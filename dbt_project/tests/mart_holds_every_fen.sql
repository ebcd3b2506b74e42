-- Accounting identity: nothing is lost or counted twice between the orders and the mart.
with mart as (
    select
        coalesce(sum(value_fen), 0) as value_fen,
        coalesce(sum(orders), 0) as orders,
        coalesce(sum(items), 0) as items
    from {{ ref('store_days') }}
),

source_orders as (
    select coalesce(sum(amount_fen), 0) as value_fen, count(*) as orders from {{ ref('stg_orders') }}
),

source_lines as (
    select coalesce(sum(quantity), 0) as items from {{ ref('stg_order_lines') }}
)

select 1 as wrong
from mart, source_orders, source_lines
where
    mart.value_fen <> source_orders.value_fen
    or mart.orders <> source_orders.orders
    or mart.items <> source_lines.items
